/** Two servers that each lead alone, and a zoo.cfg that lists both: clients of one list would be served by two ensembles (foundations.md 13.10). */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type MemberOfTest, Members } from './members.ts';

const PATIENT = { connectTimeoutMs: PATIENCE_MS };
/** Its zoo.cfg lists these servers from now on. */
function list({ folder }: MemberOfTest, lines: string, ids: readonly number[]): void {
  const kept = lines.split('\n').filter((line) => {
    const id = /^server\.(\d+)=/.exec(line)?.[1];
    return id === undefined || ids.includes(Number(id));
  });
  writeFileSync(join(folder, 'zoo.cfg'), kept.join('\n'));
}

test('who leads alone ends where its zoo.cfg leads to a server of another ensemble, which goes on', async () => {
  await using members = await Members.make({ voters: 2 });
  const [one, two] = [members.member(1), members.member(2)];
  const lines = readFileSync(join(one.folder, 'zoo.cfg'), 'utf8');
  const other = readFileSync(join(two.folder, 'zoo.cfg'), 'utf8');
  for (const [member, own] of [
    [one, lines],
    [two, other],
  ] as const) {
    list(member, own, [member.id]);
    member.start();
    await members.serving([member.id]);
    await using client = await connect(member.hosts, PATIENT);
    await client.create(`/of-${member.id}`);
  }
  await one.kill('SIGTERM');
  list(one, lines, [1, 2]);
  one.start();
  assert.equal(await one.ended, 43, one.log);
  const said =
    /error {1,2}this server leads alone, and .*belongs to another ensemble, [0-9a-f]{8} .* and server \d to [0-9a-f]{8} .*; correct the address, or empty the directory/;
  assert.match(one.log, said);
  await using client = await connect(two.hosts, PATIENT);
  await client.create('/goes-on');
  // and it is itself again where nobody else is
  list(one, lines, [1]);
  one.start();
  await members.serving([1]);
  await using mine = await connect(one.hosts, PATIENT);
  assert.notEqual(await mine.exists('/of-1'), undefined);
});
