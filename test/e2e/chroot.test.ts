/** Below a chroot: /zookeeper is a node like any other there, and quotas are not kept in it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess(['enforceQuota=true']);
let client: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts);
  await client.create('/ch');
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
});

const below = (...args: string[]): Promise<Ran> => zoosh([`${server.hosts}/ch`, ...args]);
const is = ({ code, stdout, stderr }: Ran, expected: string | RegExp, status = 0): void => {
  assert.equal(code, status, stderr + stdout);
  if (typeof expected === 'string') assert.equal(stdout, expected);
  else assert.match(stdout, expected);
};
const no = ({ code, stderr }: Ran, status: number, expected: RegExp): void => {
  assert.equal(code, status, stderr);
  assert.match(stderr, expected);
};

test('quotas below a chroot are refused, with where they are kept and what to do', async () => {
  await client.create('/ch/qq');
  const why = (name: string, path: string): RegExp =>
    new RegExp(
      `^error: ${name}: quotas are kept below /zookeeper/quota of the whole ensemble, which a session with the chroot /ch does not see\n hint: connect without the chroot; the node is ${path} there\n$`,
    );
  no(await below('setquota', '-N', '2', '/qq'), 2, why('setquota', '/ch/qq'));
  no(await below('setquota', '-n', '5', 'qq'), 2, why('setquota', '/ch/qq'));
  no(await below('delquota', '/qq'), 2, why('delquota', '/ch/qq'));
  no(await below('listquota', '/qq'), 2, why('listquota', '/ch/qq'));
  no(await below('quota', 'ls'), 2, why('quota', '/ch'));
  no(await below('quota', 'ls', '/qq'), 2, why('quota', '/ch/qq'));
  assert.deepEqual((await client.getChildren('/ch')).children, ['qq']);
  is(await zoosh([server.hosts, 'setquota', '-N', '2', '/ch/qq']), /hard|^$/);
  no(await below('mkdir', '/qq/a', '/qq/b'), 17, /quota/);
  // as a program that is called as zkCli was it goes on as zkCli does
  is(await zoosh(['--compat', 'zkcli', `${server.hosts}/ch`, 'listquota', '/qq']), '');
  await zoosh([server.hosts, 'delquota', '/ch/qq']);
  is(await zoosh([server.hosts, 'deleteall', '/ch/qq']), /^\d\n$/);
});

test('what is called /zookeeper below a chroot is seen, copied and deleted like any other node', async () => {
  await client.create('/ch/zookeeper', 'mine');
  await client.create('/ch/zookeeper/quota', '');
  await client.create('/ch/zookeeper/quota/mine', 'too');
  const all = '/\n/zookeeper\n/zookeeper/quota\n/zookeeper/quota/mine\n';
  is(await below('find', '/'), all);
  is(await below('ls', '-R', '/'), all);
  is(await below('-c', 'each /* do echo {}'), '/zookeeper\n');
  is(await below('-c', 'each /** do echo {}'), '/zookeeper\n/zookeeper/quota\n/zookeeper/quota/mine\n');
  is(await below('count', '-R', '/'), '3\n');
  is(await below('tree', '/'), '/\n\tzookeeper\n\t\tquota\n\t\t\tmine\n');
  is(await below('grep', 'too'), '/zookeeper/quota/mine:1:too\n');
  is(await below('du', '-d', '0', '/'), '7\t4\t/\n');
  is(await below('getAcl', '-R', '/'), /\/zookeeper\/quota\/mine/);
  const { stdout } = await below('export', '/');
  assert.equal(stdout.split('\n').length, 6);
  await client.create('/copy');
  is(
    await zoosh(['-y', `${server.hosts}/copy`, 'import', '--root', '/', '-'], stdout),
    'created\t3\nupdated\t0\nsame\t1\nskipped\t0\n',
  );
  const twin = `${server.hosts}/copy`;
  is(await zoosh([twin, 'set', '/zookeeper', 'other']), '1\n');
  is(await zoosh([`${server.hosts}/ch`, 'cp', '-r', '/zookeeper', '/z2']), /^created\t3\n/);
  is(await below('mv', '/z2', '/z3'), /.*/);
  is(await below('deleteall', '/z3'), '3\n');
  // the nodes that the ensemble needs are elsewhere
  is(await below('delete', '/zookeeper/quota/mine'), '/zookeeper/quota/mine\n');
  is(await below('find', '/zookeeper', '-name', 'quota', '-delete'), '/zookeeper/quota\n');
  is(await below('deleteall', '/zookeeper'), '1\n');
  is(await zoosh(['-y', twin, 'deleteall', '--keep-root', '/']), '3\n');
  assert.deepEqual((await client.getChildren('/copy')).children, []);
  no(
    await zoosh(['-y', `${server.hosts}/ch`, 'deleteall', '/']),
    30,
    /\/ cannot be deleted: it is the root of what this session sees\n/,
  );
});

test('what the ensemble needs is refused through a chroot that leads there, too', async () => {
  const own = `${server.hosts}/zookeeper`;
  no(await zoosh(['-y', own, 'deleteall', '/quota']), 30, /\/quota cannot be deleted: the ensemble needs it\n/);
  no(await zoosh(['-y', own, 'deleteall', '--keep-root', '/']), 30, /what is below \/ cannot be deleted/);
  no(await zoosh(['-y', server.hosts, 'deleteall', '/zookeeper/quota']), 30, /\/zookeeper\/quota cannot be deleted/);
  no(await zoosh(['-y', server.hosts, 'deleteall', '/']), 30, /\/ cannot be deleted: the ensemble needs it\n/);
  is(await zoosh([server.hosts, 'find', '/']), /^\/\n(?!\/zookeeper)/);
});
