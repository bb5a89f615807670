/** Logins by digest256, the scheme of a server that was told to: from the shell, over HTTP, and as an Apache server answers without it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { connect } from '../../src/client/connect.ts';
import { ownPort } from '../ports.ts';
import { type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const hashOf = (login: string): string => createHash('sha256').update(login).digest('base64');
const SUPER = `super:${hashOf('super:secret')}`;

test('digest256: ids by SHA-256, a super user of its own, hidden where digest is', async () => {
  const adminPort = await ownPort('127.0.0.1');
  await using server = await new ServerProcess([
    'digest256.enabled=true',
    `digest256.superDigest=${SUPER}`,
    'admin.enableServer=true',
    'admin.serverAddress=127.0.0.1',
    `admin.serverPort=${adminPort}`,
  ]).start();
  const { hosts } = server;
  const as = (login: string, ...words: string[]): Promise<Ran> => zoosh(['--auth', login, hosts, ...words]);
  const out = async (ran: Promise<Ran>): Promise<string> => {
    const { code, stdout, stderr } = await ran;
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const made = await out(zoosh(['digest', '--sha256', 'bob:pw']));
  assert.equal(made, `bob:pw->bob:${hashOf('bob:pw')}\n`);
  const id = (await out(zoosh(['acl', 'digest', '--sha256', 'bob', 'pw']))).trim();
  assert.equal(id, `digest256:bob:${hashOf('bob:pw')}`);
  await out(zoosh([hosts, 'create', '/typed', 'x', `${id}:cdrwa,world:anyone:c`]));
  await out(as('digest256:bob:pw', 'create', '/own', 'x', 'auth::cdrwa'));
  assert.match(await out(as('digest256:bob:pw', 'getAcl', '/own')), new RegExp(`${id.replaceAll('+', '\\+')}`));
  for (const path of ['/typed', '/own']) {
    assert.equal(await out(as('digest256:bob:pw', 'get', path)), 'x\n');
    // the same words by the other scheme are somebody else
    for (const other of ['digest:bob:pw', 'digest256:bob:other'])
      assert.equal((await as(other, 'get', path)).code, 14, `${other} ${path}`);
    assert.equal(await out(as('digest256:super:secret', 'get', path)), 'x\n');
  }
  assert.match(await out(as('digest256:bob:pw', 'whoami')), /^digest256\tbob$/m);
  // one who may read sees no hash, and what he sees is not written back
  await out(as('digest256:bob:pw', 'create', '/shown', 'x', `${id}:cdrwa,world:anyone:rc`));
  assert.match(await out(zoosh([hosts, 'getAcl', '/shown'])), /digest256:bob:x\b/);
  assert.equal((await zoosh([hosts, 'cp', '/shown', '/copied'])).code, 15);
  // the guard against locking oneself out knows who one is
  assert.equal((await as('digest256:bob:pw', 'setAcl', '/own', `digest256:bob:${hashOf('bob:other')}:cdrwa`)).code, 30);
  await out(as('digest256:bob:pw', 'setAcl', '/own', `${id}:cdrwa`));
  // HTTP
  const ask = async (login: string): Promise<number> =>
    (
      await fetch(`http://127.0.0.1:${adminPort}/commands/connections`, {
        headers: { Authorization: login },
      })
    ).status;
  assert.deepEqual(
    [await ask('digest256 super:secret'), await ask('digest256 bob:pw'), await ask('digest super:secret')],
    [200, 403, 403],
  );
});

test('a server that was not told to knows no digest256, as Apache does not', async () => {
  await using server = await new ServerProcess().start();
  const ran = await zoosh(['--auth', 'digest256:bob:pw', server.hosts, 'get', '/']);
  assert.equal(ran.code, 4, ran.stderr);
  await using client = await connect(server.hosts);
  const acl = [{ scheme: 'digest256', id: `bob:${hashOf('bob:pw')}`, perms: 31 }];
  await assert.rejects(client.create('/a', 'x', { acl }), { code: 'InvalidAcl' });
});
