/** Members change from plain connections to certificates one by one: portUnification, then sslQuorum, then that alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { makeCertificate } from '../tls/certificates.ts';
import { Members, STEADY } from './members.ts';
import { PemFiles } from './members-tls.ts';

const HOST = '127.0.0.1';
const IDS = [1, 2, 3];
const folder = mkdtempSync(join(tmpdir(), 'zoosh-unified-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('three members get certificates in three rolling restarts, as with ZooKeeper, and are whole after each', async () => {
  const files = new PemFiles(join(folder, 'pem'));
  const stores = new Map(
    IDS.map((id) => [id, files.lines(`m${id}`, makeCertificate(files.authority, { hosts: [HOST] })).slice(1)]),
  );
  await using members = await Members.start({ voters: 3, lines: [STEADY] });
  await using client = await connect(members.hosts, { connectTimeoutMs: PATIENCE_MS });
  await client.create('/rolled');
  const become = async (id: number, ...settings: string[]): Promise<void> => {
    const member = members.member(id);
    const cfg = join(member.folder, 'zoo.cfg');
    const kept = readFileSync(cfg, 'utf8')
      .split('\n')
      .filter((line) => !/^(sslQuorum|portUnification|ssl\.quorum\.)/.test(line));
    writeFileSync(cfg, [...settings, ...(stores.get(id) as string[]), ...kept].join('\n'));
    assert.equal(await member.kill('SIGTERM'), 0, member.log.slice(-2000));
    member.start();
    await members.serving();
  };
  let written = 0;
  for (const settings of [
    ['portUnification=true'],
    ['portUnification=true', 'sslQuorum=true'],
    ['portUnification=false', 'sslQuorum=true'],
  ])
    for (const id of IDS) {
      await become(id, ...settings);
      // every pair has met again, each in its way of now
      await using through = await connect(members.member(id).hosts, { connectTimeoutMs: PATIENCE_MS });
      await through.set('/rolled', String(++written));
    }
  await using last = await connect(members.member(1).hosts, { connectTimeoutMs: PATIENCE_MS });
  await last.sync('/rolled');
  const { data, stat } = await last.get('/rolled');
  assert.equal(data?.toString(), '9');
  assert.equal(stat.version, 9);
  // who stays behind is turned away, and its log says why
  const cfg = join(members.member(3).folder, 'zoo.cfg');
  writeFileSync(cfg, readFileSync(cfg, 'utf8').replace('sslQuorum=true', 'sslQuorum=false'));
  await members.member(3).kill('SIGTERM');
  members.member(3).start();
  for (let waited = 0; !/it speaks TLS and this server does not/.test(members.member(3).log); waited += 20) {
    assert.ok(waited < PATIENCE_MS, members.member(3).log.slice(-2000));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
