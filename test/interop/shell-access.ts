/** Who may do what, and how much. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACL_HINT, zoosh } from './live-shell.ts';
import {
  BOB,
  base,
  client,
  dataOf,
  digest,
  ENV,
  kazoo,
  ROOT,
  SERVER,
  shell,
  statOf,
  statText,
  zkCli,
} from './shell-rig.ts';

test('ACLs with digest identities', async () => {
  const at = await base('acl');
  await client.create(`${at}/p`, 'x');
  await using sh = shell('-o', 'plain');
  await using other = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await other.ok(`cd ${at}`);
  await sh.ok('whoami', 'ip\t127.0.0.1\n');
  await sh.ok('getAcl p', 'world:anyone:cdrwa\n');
  await sh.ok('getAcl -s p', `world:anyone:cdrwa\n${statText(await statOf(`${at}/p`))}`);
  await sh.no('setAcl p auth::cdrwa', 15, `error: the ACL is not valid: ${at}/p`, ACL_HINT);
  await sh.ok('addauth digest bob:secret');
  assert.deepEqual((await sh.out('whoami')).trim().split('\n').sort(), ['digest\tbob', 'ip\t127.0.0.1']);
  await sh.ok('setAcl p auth::cdrwa');
  await sh.ok('getAcl p', `${BOB}:cdrwa\n`);
  const hint = ' hint: addauth presents a credential; whoami shows those of this session';
  await other.no('get p', 14, `error: not permitted by the ACL: ${at}/p`, hint);
  await other.no('set p y', 14, `error: not permitted by the ACL: ${at}/p`, hint);
  await other.no('ls p', 14, `error: not permitted by the ACL: ${at}/p`, hint);
  await other.no('create p/c', 14, `error: not permitted by the ACL of ${at}/p: ${at}/p/c`, hint);
  await other.no('setAcl p world:anyone:cdrwa', 14, `error: not permitted by the ACL: ${at}/p`, hint);
  await sh.ok('get p', 'x\n');
  const told = await sh.out('setAcl -s -v 1 p auth::cdrwa,world:anyone:r');
  assert.equal(told, statText(await statOf(`${at}/p`)));
  await sh.ok('getAcl p', `${BOB}:cdrwa,world:anyone:r\n`);
  await other.ok('get p', 'x\n');
  await sh.no(
    'setAcl -v 9 p world:anyone:cdrwa',
    12,
    `error: the version given is not the current one: ${at}/p`,
    ' hint: it has another version now; stat shows which',
  );
  await sh.ok('create p/c "" auth::all', `${at}/p/c\n`);
  await sh.ok(`setAcl -R p ${BOB}:cdrwa,ip:127.0.0.1:r`);
  await sh.ok('getAcl p p/c', `${BOB}:cdrwa,ip:127.0.0.1:r\n`.repeat(2));
  await other.no('deleteall p', 14, `error: operation 1 (${at}/p/c): not permitted by the ACL; nothing was changed`);
  const guard = ' hint: somebody here needs the permission a: addauth, then auth::cdrwa; or use --force';
  await sh.no(
    'setAcl p world:anyone:r',
    30,
    `error: refused: after this nobody but a superuser could change the ACL of ${at}/p`,
    guard,
  );
  await other.no(
    `setAcl p digest:eve:${digest('eve:x')}:cdrwa`,
    30,
    `error: refused: after this nobody in this session (ip:127.0.0.1) could change the ACL of ${at}/p`,
    guard,
  );
  await sh.no(
    `setAcl p world:anyone`,
    15,
    'error: not an ACL entry: world:anyone',
    ' hint: an ACL is scheme:id:perms,... with perms of cdrwa, for example world:anyone:r,auth::cdrwa',
  );
  await sh.ok('create last && setAcl --force last world:anyone:rd', `${at}/last\n`);
  await other.no('setAcl last world:anyone:cdrwa', 14, `error: not permitted by the ACL: ${at}/last`, hint);
  await sh.no(
    'create locked x digest:bob:x:cdrwa',
    30,
    `error: refused: after this nobody but a superuser could change the ACL of ${at}/locked`,
    guard,
  );
  await sh.ok('create --force locked x digest:bob:x:cdrwa', `${at}/locked\n`);
  const asBob = await zoosh(['--auth', 'digest:bob:secret', SERVER, 'get', `${at}/p`], ENV);
  assert.deepEqual([String(asBob.out), asBob.err, asBob.status], ['x\n', '', 0]);
  const asKazoo = await kazoo(
    'zk.add_auth("digest", "bob:secret")\nprint(zk.get(sys.argv[2] + "/p")[0].decode(), zk.get_acls(sys.argv[2] + "/p")[0][0].id.id)',
    at,
  );
  assert.equal(asKazoo, `x ${BOB.slice('digest:'.length)}\n`);
  await sh.no('addauth digest nocolon', 2, 'error: addauth: a digest credential is user:password');
  await using js = shell('-o', 'json');
  await js.json('whoami', [{ scheme: 'ip', id: '127.0.0.1' }]);
  await js.json(`getAcl ${at}/last`, {
    path: `${at}/last`,
    aversion: 1,
    acl: [{ scheme: 'world', id: 'anyone', perms: 'dr' }],
  });
  await js.json('addauth digest env:WHO', { authenticated: 'digest:al' });
  await other.ok('create -e mine', `${at}/mine\n`);
  const { err, status } = await other.line('addauth nosuch scheme');
  assert.deepEqual(
    [
      err
        .replace(/within \S+:/, 'within TIME:')
        .replace(/0x[0-9a-f]+/, 'ID')
        .split('\n')
        .slice(0, -1),
      status,
    ],
    [
      [
        'the credential was refused, and the server closed the connection',
        `goes within TIME: 1 ephemeral node (${at}/mine)`,
        'new session ID',
        'error: authentication failed',
        ' hint: the server does not take this credential, or does not know its scheme',
      ],
      4,
    ],
  );
  await other.ok('getEphemerals');
  await other.ok('whoami', 'ip\t127.0.0.1\n');
});

test("quotas: ours read by zkCli, zkCli's by us", async () => {
  const at = await base('quota');
  await client.create(`${at}/q`, 'hello');
  await client.create(`${at}/q/a`, 'xyz');
  await client.create(`${at}/theirs`);
  const limits = async (): Promise<string> => String(await dataOf(`/zookeeper/quota${at}/q/zookeeper_limits`));
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await sh.no('listquota q', 10, `error: no quota on ${at}/q`, ' hint: setquota sets one');
  await sh.ok('setquota -n 10 q');
  assert.equal(await limits(), 'count=10,bytes=-1');
  await sh.ok('listquota q', 'nodes\t2\t10\t-\nbytes\t8\t-\t-\n');
  await sh.ok('setquota -b 100 q');
  assert.equal(await limits(), 'count=10,bytes=100');
  await sh.ok('setquota -N 3 -B 50 q');
  assert.equal(await limits(), 'count=10,bytes=100=;byteHardLimit=50;countHardLimit=3');
  await sh.ok('listquota q', 'nodes\t2\t10\t3\nbytes\t8\t100\t50\n');
  await sh.ok('create q/b 12345', `${at}/q/b\n`);
  await sh.ok('listquota q', 'nodes\t3\t10\t3\nbytes\t13\t100\t50\n');
  await sh.no(
    'create q/c',
    17,
    `error: a quota is exceeded: ${at}/q/c`,
    ' hint: quota ls shows limits and what is used; setquota changes a limit',
  );
  await sh.no(
    `set q/b ${'x'.repeat(50)}`,
    17,
    `error: a quota is exceeded: ${at}/q/b`,
    ' hint: quota ls shows limits and what is used; setquota changes a limit',
  );
  await sh.no(
    'setquota -n 5 q/a',
    20,
    `error: ${at}/q/a has a parent with a quota: ${at}/q`,
    ` hint: quotas do not nest; delquota ${at}/q removes that one`,
  );
  await sh.no(
    `setquota -n 5 ${at}`,
    20,
    `error: ${at} has a node below with a quota: ${at}/q`,
    ` hint: quotas do not nest; delquota ${at}/q removes that one`,
  );
  await sh.no('setquota -n 5 nowhere', 10, `error: node does not exist: ${at}/nowhere`);
  await sh.no('setquota q', 2, 'error: setquota: say at least one limit: -n, -b, -N or -B');
  const theirs = await zkCli(
    `listquota ${at}/q\nsetquota -N 7 ${at}/theirs\nsetquota -b 900 ${at}/theirs\nlistquota ${at}/theirs\ncreate ${at}/cli made-by-cli\ncreate -s ${at}/cli- 1\ncreate -c ${at}/cli/box\nset ${at}/cli again\naddauth digest bob:secret\nsetAcl ${at}/cli/box auth:bob:crdwa\n`,
  );
  assert.match(theirs, new RegExp(`Output quota for ${at}/q count=10,bytes=100=;byteHardLimit=50;countHardLimit=3`));
  assert.match(theirs, new RegExp(`Output stat for ${at}/q count=3,bytes=13`));
  await sh.ok('listquota theirs', 'nodes\t1\t-\t7\nbytes\t0\t900\t-\n');
  await sh.ok('get cli', 'again\n');
  await sh.ok('stat cli', statText(await statOf(`${at}/cli`)));
  await sh.ok('ls', 'cli\ncli-0000000003\nq\ntheirs\n');
  await sh.no(
    'getAcl cli/box',
    14,
    `error: not permitted by the ACL: ${at}/cli/box`,
    ' hint: addauth presents a credential; whoami shows those of this session',
  );
  await sh.ok('addauth digest bob:secret');
  await sh.ok('getAcl cli/box', `${BOB}:cdrwa\n`);
  await using js = shell('-o', 'json');
  await js.json(`listquota ${at}/theirs`, [
    {
      path: `${at}/theirs`,
      limits: { count: -1, bytes: 900, hardCount: 7, hardBytes: -1 },
      used: { count: 1, bytes: 0 },
    },
  ]);
  await sh.ok('delquota -n q');
  assert.equal(await limits(), 'count=-1,bytes=100=;byteHardLimit=50;countHardLimit=3');
  await sh.ok('delquota -b q');
  await sh.ok('delquota -N q');
  assert.equal(await limits(), 'count=-1,bytes=-1=;byteHardLimit=50');
  await sh.ok('create q/c', `${at}/q/c\n`);
  await sh.ok('delquota -B q');
  assert.equal(await limits(), 'count=-1,bytes=-1');
  await sh.ok('delquota q');
  await sh.ok('delquota theirs');
  assert.equal(await client.exists(`/zookeeper/quota${ROOT}`), undefined, 'nothing left behind');
  await sh.no('delquota q', 10, `error: no quota on ${at}/q`, ' hint: quota ls lists those there are');
});
