/** An ACL by which nobody could change it again is refused wherever one is given, not by setAcl alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { rig } from '../shell/rig.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-guard-'));
const file = join(folder, 'm.ndjson');
let client: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts);
  for (const path of ['/m', '/m/a', '/there']) await client.create(path, 'x');
  writeFileSync(file, '{"zoosh":"export","version":1,"root":"/m","acl":true}\n{"path":"/m","data":"y"}\n');
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const HASH = 'c2hhMSBvZiBhIHBhc3N3b3JkLi4=';
/** A password where a hash belongs, and another's hash: nodes that are there would be lost to us. */
const NOBODY = 'digest:bob:hunterG:cdrwa';
const ANOTHER = `digest:bob:${HASH}:cdrwa`;

for (const [line, isThere] of [
  ['cp -r --acl ACL /m /made', false],
  ['cp -f --acl ACL /m /there', true],
  ['mv --acl ACL /m /made', true],
  [`import --acl ACL --root /made ${file}`, false],
  [`import --acl ACL --on-conflict overwrite --root /there ${file}`, true],
  [`apply --acl ACL --root /m -f ${file}`, true],
  ['mirror --acl ACL /m /there', true],
] as const)
  test(`${line}: nobody is locked out with it`, async () => {
    const it = rig(client);
    const before = await client.getAcl('/m');
    assert.equal(await it.shell.run(line.replace('ACL', NOBODY)), 30, it.told[0]?.failure.message);
    assert.match(it.told[0]?.failure.message ?? '', /nobody but a superuser could change the ACL/);
    assert.match(it.told[0]?.failure.hint ?? '', /setAcl --force gives it to nodes that are there/);
    assert.match(it.warned.join('\n'), /is not a password hash, so nobody can log in as it/);
    assert.deepEqual(await client.getAcl('/m'), before);
    assert.equal(await client.exists('/made'), undefined);
    it.told.length = 0;
    if (isThere) {
      assert.equal(await it.shell.run(line.replace('ACL', ANOTHER)), 30, it.told[0]?.failure.message);
      assert.match(it.told[0]?.failure.message ?? '', /nobody in this session .* could change the ACL/);
    }
    assert.deepEqual((await client.getAcl('/there')).acl, before.acl);
  });

test('what gives others a node of theirs is done', async () => {
  const it = rig(client);
  assert.equal(await it.shell.run(`cp --acl ${ANOTHER} /m /theirs`), 0, it.told[0]?.failure.message);
  assert.equal(await it.shell.run(`apply --check --acl ${ANOTHER} --root /m -f ${file}`), 1);
  assert.equal(await it.shell.run(`mv --acl world:anyone:cdrwa /m /moved`), 0, it.told[0]?.failure.message);
});
