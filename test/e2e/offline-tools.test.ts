/** Logs, snapshots and data directories looked at without a server: Apache's and ours by the same commands. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { goldenFiles } from '../apache/memory-disk.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type Ran, zoosh } from './cli.ts';
import { apacheData, Folder } from './folders.ts';
import { until } from './members.ts';
import { ServerProcess } from './process.ts';

const place = new Folder();
const folder = place.path;
const apache = join(folder, 'apache');
const files = join(apache, 'version-2');
const own = new ServerProcess(['snapCount=40', 'extendedTypesEnabled=true']);
const data = join(own.folder, 'data');
const ours = join(data, 'zoosh-1');
const lines = ({ stdout }: Ran): string[] => stdout.trimEnd().split('\n');
const namesOf = (start: string): string[] =>
  readdirSync(ours)
    .filter((name) => name.startsWith(start))
    .sort((a, b) => Number.parseInt(a.split('.')[1] ?? '', 16) - Number.parseInt(b.split('.')[1] ?? '', 16));

before(async () => {
  apacheData(apache);
  await own.start();
  const client = await connect(own.hosts, { connectTimeoutMs: PATIENCE_MS });
  await client.create('/app', 'hello\nworld', { acl: [{ perms: 31, scheme: 'world', id: 'anyone' }] });
  await client.create('/app/bin', Buffer.from([0, 255, 1]));
  await client.create('/box', null, { mode: 'container' });
  await client.create('/short', 't', { mode: 'ttl', ttlMs: 90_000_000 });
  await client.create('/mine', 'e', { mode: 'ephemeral' });
  await client.transaction().create('/multi', 'm').set('/app', 'v1').commit();
  await client.delete('/none').catch(() => {});
  for (let i = 0; i < 50; i++) await client.set('/app', `v${i}`);
  // one is there, and whole, and no other is being written
  await until(
    () => namesOf('snapshot.').length > 0 && namesOf('snapshot.').every((name) => /^snapshot\.[0-9a-f]+$/.test(name)),
    PATIENCE_MS,
    () => `${readdirSync(ours)}`,
  );
  await own.kill('SIGKILL');
  client.close().catch(() => {});
});
after(async () => {
  await own[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

test('txnlog shows an Apache log, a line a transaction, as lines and as JSON', async () => {
  const ran = await zoosh(['txnlog', join(files, 'log.1')]);
  assert.equal(ran.code, 0, ran.stderr);
  const all = lines(ran);
  assert.equal(all[0], 'ZooKeeper Transactional Log File with dbid 0 txnlog format version 2');
  assert.equal(all.at(-1), 'EOF reached after 52 txns.');
  assert.equal(all.length, 54);
  for (const pattern of [
    /^2026-11-28T00:38:5\d\.\d{3}Z session 0x10000139f230000 cxid 0x0 zxid 0x1 createSession 30000$/,
    / create2 \/live\/one,e1,\[31,s\{'world,'anyone\}\],true,1$/,
    / closeSession v\{\/live\/ends-too,\/live\/ends\}$/,
    / multi create:\/multi,m,\[.*\],false,6;.*;setData:\/multi,m2,1;check:\/app,4$/,
    / createTTL \/ttl,t,\[31,s\{'world,'anyone\}\],\d+,86400000$/,
    / error -110 NodeExists$/,
    / delete \/gone$/,
  ])
    assert.ok(
      all.some((line) => pattern.test(line)),
      String(pattern),
    );
  const json = await zoosh(['-o', 'json', 'txnlog', '-d', join(files, 'log.3d')]);
  const told = lines(json).map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    told.map(({ zxid, type }) => `${zxid} ${type}`),
    [
      '0x3d createSession',
      '0x3e create2',
      '0x3f setData',
      '0x40 create2',
      '0x41 create2',
      '0x42 create2',
      '0x43 setACL',
      '0x44 error',
      '0x45 createSession',
    ],
  );
  assert.equal(told[2]?.data, Buffer.from('round 2').toString('base64'));
});

test('a broken transaction is marked, the rest shown, and no checksum made anew', async () => {
  const bad = join(folder, 'log.3d');
  const bytes = Buffer.from(goldenFiles().get('log.3d') as Buffer);
  const at = bytes.indexOf('round 2');
  bytes[at] = 0x52;
  writeFileSync(bad, bytes);
  const ran = await zoosh(['txnlog', bad]);
  assert.equal(ran.code, 44, ran.stdout);
  const marked = lines(ran).filter((line) => line.startsWith('CRC ERROR - '));
  assert.equal(marked.length, 1);
  assert.match(marked[0] as string, /zxid 0x3f setData \/app,Round 2,5$/);
  assert.equal(lines(ran).at(-1), 'EOF reached after 9 txns.');
  assert.match(ran.stderr, /^error: data damaged: .*log\.3d, offset \d+: the checksum of a transaction is wrong$/m);
  const recover = await zoosh(['txnlog', '-r', '-y', bad]);
  assert.equal(recover.code, 30);
  assert.match(recover.stderr, /never given new checksums/);
  assert.equal((await zoosh(['txnlog', '-c', '-z', '0x40', bad])).code, 44);
  assert.equal((await zoosh(['txnlog', '-c', '-z', '0x3e', bad])).code, 0); // before the damage
  assert.deepEqual(readdirSync(folder).sort(), ['apache', 'log.3d', 'log.3d.chopped']);
});

test('an Apache log is chopped behind a transaction that it holds', async () => {
  const log = join(folder, 'log.35');
  copyFileSync(join(files, 'log.35'), log);
  const ran = await zoosh(['txnlog', '-c', '-z', '0x37', log]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /^.*log\.35\.chopped: 3 transactions, to zxid 0x37\n$/);
  const chopped = readFileSync(`${log}.chopped`);
  assert.ok(readFileSync(log).subarray(0, chopped.length).equals(chopped));
  assert.equal(lines(await zoosh(['txnlog', `${log}.chopped`])).at(-1), 'EOF reached after 3 txns.');
  for (const [args, text] of [
    [['-c', '-z', '0x37', log], /is there already/],
    [['-c', '-z', '0x99', log], /does not hold transaction 0x99/],
    [['-c', log], /needs -z ZXID/],
    [['-z', '1', log], /where -c chops/],
    [['-c', '-z', 'x', log], /is not a zxid/],
    [[join(files, 'snapshot.0')], /is a snapshot/],
    [[join(folder, 'none')], /there is no such file/],
    [[], /FILE is missing/],
  ] as const) {
    const refused = await zoosh(['txnlog', ...args]);
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, text);
  }
});

test('a log of ours is shown likewise', async () => {
  const shown: string[] = [];
  for (const name of namesOf('log.')) {
    const ran = await zoosh(['txnlog', join(ours, name)]);
    assert.equal(ran.code, 0, ran.stderr);
    shown.push(...lines(ran));
  }
  for (const pattern of [
    / found 1:participant$/,
    / createSession 0x[0-9a-f]+,\d+$/,
    / create \/app,hello\\nworld,\[31,s\{'world,'anyone\}\],false,\d+$/,
    / create \/app\/bin,0x00ff01,/,
    / create \/box,,\[.*\],\d+$/,
    / create \/short,t,\[.*\],\d+,90000000$/,
    / create \/mine,e,\[.*\],true,\d+$/,
    / multi create:\/multi,m,.*;setData:\/app,v1,1$/,
    / error -101 NoNode$/,
    /^EOF reached after \d+ txns\.$/,
  ])
    assert.ok(
      shown.some((line) => pattern.test(line)),
      `${pattern}\n${shown.join('\n')}`,
    );
});

test('a log whose server was killed as it began it has no transactions, and is no wrong file', async () => {
  for (const [name, bytes] of [
    ['log.10000003b.7559d48fe6d7dd65', 0],
    ['log.10000003c.7559d48fe6d7dd65', 1 << 20],
  ] as const) {
    const file = join(folder, name);
    writeFileSync(file, Buffer.alloc(bytes));
    const ran = await zoosh(['txnlog', file]);
    assert.deepEqual([ran.code, ran.stdout], [0, 'EOF reached after 0 txns.\n']);
    assert.match(ran.stderr, /^warning: .*nothing is in it yet\n$/);
    assert.equal((await zoosh(['txnlog', '-c', '-z', '1', file])).code, 2);
    assert.equal((await zoosh(['txnlog', '-z', '1', file])).code, 2);
    // a log whose beginning is lost is damaged, not empty
    writeFileSync(file, Buffer.concat([Buffer.alloc(2 << 20), Buffer.from('x')]));
    assert.equal((await zoosh(['txnlog', file])).code, 2);
    rmSync(file);
  }
});

test('the newest log of ours can be chopped and started from', async () => {
  await using server = await new ServerProcess().start();
  const client = await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS });
  await client.create('/app', '');
  for (let i = 0; i < 20; i++) await client.set('/app', `v${i}`);
  await server.kill('SIGKILL');
  client.close().catch(() => {});
  const place = join(server.folder, 'data', 'zoosh-1');
  const [name = ''] = readdirSync(place).filter((each) => each.startsWith('log.'));
  const log = join(place, name);
  const shown = lines(await zoosh(['txnlog', log]));
  const wanted = shown.find((line) => / setData \/app,v12,/.test(line)) as string;
  const zxid = / zxid (0x[0-9a-f]+) /.exec(wanted)?.[1] as string;
  const ran = await zoosh(['txnlog', '-c', '-z', zxid, log]);
  assert.equal(ran.code, 0, ran.stderr);
  const chopped = lines(await zoosh(['txnlog', `${log}.chopped`]));
  assert.deepEqual(chopped.slice(0, -2), shown.slice(0, shown.indexOf(wanted) + 1));
  assert.equal((await zoosh(['txnlog', '-c', '-z', '0x900000000', join(place, name)])).code, 2);
  renameSync(`${log}.chopped`, log);
  await server.start();
  const again = await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS });
  assert.equal((await again.get('/app')).data?.toString(), 'v12');
  await again.close();
});

test('snapshot info, ls, verify and compare look at both kinds', async () => {
  const snapshot = join(ours, namesOf('snapshot.')[0] as string);
  const info = await zoosh(['-o', 'json', 'snapshot', 'info', snapshot]);
  assert.equal(info.code, 0, info.stderr);
  const told = JSON.parse(info.stdout) as Record<string, unknown>;
  assert.deepEqual(
    [told.kind, told.nodes, told.ephemerals, told.containers, told.ttls, told.sessions],
    ['zoosh snapshot', 10, 1, 1, 1, 1],
  );
  const theirs = await zoosh(['snapshot', 'info', join(files, 'snapshot.3c.snappy')]);
  assert.match(theirs.stdout, /^kind +Apache snapshot, snappy$/m);
  assert.match(theirs.stdout, /^nodes +42 \(5 ephemeral, 2 containers, 3 with a time to live\)$/m);
  assert.match(theirs.stdout, /^digest +0xf6f44d3cb at zxid 0x3c$/m);
  const ls = await zoosh(['snapshot', 'ls', '-d', join(files, 'snapshot.34.gz')]);
  assert.match(
    ls.stdout,
    /^ZNode Details \(count=39\):\n----\n\/\n {2}cZxid = 0x00000000000000\n {2}ctime = Thu Jan 01 00:00:00 UTC 1970\n/,
  );
  assert.match(ls.stdout, /\n\/multi\/t\n(?: {2}.*\n)+ {2}ephemeralOwner = 0xff000000006ddd00\n {2}data = dA==\n/);
  assert.match(ls.stdout, /\n----\nSession Details \(sid, timeout, ephemeralCount\):\n0x10000139f230000, 30000, 2\n/);
  assert.match(ls.stdout, /\n----\nLast zxid: 0x34\n$/);
  const own2 = await zoosh(['snapshot', 'ls', snapshot]);
  assert.match(own2.stdout, /\n\/app\/bin\n(?: {2}.*\n)+ {2}dataLength = 3\n/);
  const ncdu = JSON.parse(
    (await zoosh(['snapshot', 'ls', '-json', join(files, 'snapshot.34.gz')])).stdout,
  ) as unknown[];
  assert.equal(JSON.stringify(ncdu).match(/"ino":/g)?.length, 38);
  const compare = await zoosh([
    'snapshot',
    'compare',
    '-l',
    join(files, 'snapshot.34.gz'),
    '-r',
    join(files, 'snapshot.3c.snappy'),
    '-b',
    '2',
    '-n',
    '1',
  ]);
  assert.equal(compare.code, 1, compare.stderr);
  assert.match(compare.stdout, /\nNode {2}found in both trees\. Delta: 16 bytes, 4 descendants\n/);
  assert.match(
    compare.stdout,
    /\nNode \/app\/s-0000000011 found only in right tree\. Descendant size: 5\. Descendant count: 0\n/,
  );
  assert.equal((await zoosh(['snapshot', 'compare', snapshot, snapshot])).code, 0);
  // step by step: this depth and the next, the children of a node, a depth by its number, and what is neither
  const pair = ['-l', join(files, 'snapshot.34.gz'), '-r', join(files, 'snapshot.3c.snappy')];
  const steps = await zoosh(
    ['snapshot', 'compare', ...pair, '-b', '2', '-n', '1', '-i'],
    '\n\n/app/\n/none\n0\n99\nnonsense\nq\n\n',
  );
  assert.equal(steps.code, 1, steps.stderr);
  const parts = steps.stdout.split(/^Current depth is /m).slice(1);
  assert.deepEqual(
    parts.map((part) => part[0]),
    ['0', '1', '2', '2', '2', '0', '0', '0'],
  );
  assert.match(
    parts[0] ?? '',
    /\nAnalysis for depth 0\nNode {2}found in both trees\. Delta: 16 bytes, 4 descendants\n/,
  );
  assert.match(parts[1] ?? '', /\nAnalysis for depth 1\n(?:Node|Filtered node) \/app /);
  assert.match(
    parts[2] ?? '',
    /\nAnalysis for node \/app\n(?:.*\n)*Node \/app\/s-0000000011 found only in right tree\./,
  );
  assert.doesNotMatch(parts[2] ?? '', /\/multi|\/zookeeper/);
  assert.match(parts[3] ?? '', /\nPath \/none is neither found in left tree nor right tree\.\n/);
  assert.match(parts[4] ?? '', /\nAnalysis for depth 0\n/);
  for (const [at, said] of [
    [5, '99'],
    [6, 'nonsense'],
  ] as const)
    assert.match(parts[at] ?? '', new RegExp(`\\n${said} is not a depth from 0 to \\d, nor a path`));
  const through = await zoosh(['snapshot', 'compare', ...pair, '-i'], '\n'.repeat(20));
  assert.match(through.stdout, /\nAll layers compared\.\n$/);
  const bad = join(folder, 'snapshot.34');
  const bytes = readFileSync(join(files, 'snapshot.0'));
  bytes[100] = (bytes[100] as number) ^ 4;
  writeFileSync(bad, bytes);
  const verify = await zoosh(['snapshot', 'verify', snapshot, bad, join(files, 'snapshot.34.gz')]);
  assert.equal(verify.code, 44);
  assert.equal(lines(verify).filter((line) => line.includes(': whole, ')).length, 2);
  assert.match(verify.stderr, /^error: data damaged: .*snapshot\.34, offset \d+: /m);
});

test('verify reads a whole data directory and tells what is damaged, and where', async () => {
  const good = await zoosh(['verify', apache]);
  assert.equal(good.code, 0, good.stdout + good.stderr);
  assert.equal(lines(good).filter((line) => line.startsWith('whole ')).length, 7);
  assert.match(good.stdout, /and the tree has the digest that the server told$/m);
  assert.match(good.stdout, /^a server would start from 46 nodes and 5 sessions at zxid 0x45$/m);
  const mine = await zoosh(['verify', data]);
  assert.equal(mine.code, 0, mine.stdout + mine.stderr);
  assert.match(
    mine.stdout,
    /^whole {4}.*: server 1 of ensemble [0-9a-f]{32}, \d+ log files? to 0x[0-9a-f]+, (?:1 transaction|\d+ transactions) after the newest snapshot/m,
  );
  const before = readdirSync(ours).map((name) => [name, readFileSync(join(ours, name)).toString('hex')]);
  const broken = join(folder, 'broken');
  mkdirSync(join(broken, 'zoosh-1'), { recursive: true });
  for (const name of readdirSync(ours)) copyFileSync(join(ours, name), join(broken, 'zoosh-1', name));
  const first = join(broken, 'zoosh-1', namesOf('log.')[0] as string);
  const bytes = readFileSync(first);
  bytes[700] = (bytes[700] as number) ^ 1;
  writeFileSync(first, bytes);
  const bad = await zoosh(['-o', 'json', 'verify', broken]);
  assert.equal(bad.code, 44, bad.stdout);
  const told = JSON.parse(bad.stdout) as { whole: boolean; directories: { findings: { reason?: string }[] }[] };
  assert.equal(told.whole, false);
  assert.match(told.directories[0]?.findings[0]?.reason ?? '', /log\..*offset \d+/);
  assert.deepEqual(
    readdirSync(ours).map((name) => [name, readFileSync(join(ours, name)).toString('hex')]),
    before,
  );
  assert.equal((await zoosh(['verify', own.folder])).code, 2);
  await using running = await new ServerProcess().start();
  const used = await zoosh(['verify', join(running.folder, 'data')]);
  assert.equal(used.code, 42, used.stdout);
});

test('a log directory that was not said is asked for', async () => {
  const one = apacheData(join(folder, 'one'), (all) => {
    for (const name of [...all.keys()]) if (name.startsWith('log.')) all.delete(name);
  });
  const bare = await zoosh(['verify', one]);
  assert.equal(bare.code, 0, bare.stdout);
  assert.match(bare.stdout, /^note .*there is no log in it \(if its zoo\.cfg has a dataLogDir, say --log-dir DIR/m);
  assert.match(bare.stdout, /^a server would start from .* at zxid 0x3c, unless there are logs in another directory/m);
  assert.match((await zoosh(['import-apache', one])).stderr, /--log-dir DIR says where/);
  const parted = join(folder, 'parted');
  mkdirSync(join(parted, 'zoosh-1'), { recursive: true });
  for (const name of readdirSync(ours))
    if (!name.startsWith('log.')) copyFileSync(join(ours, name), join(parted, 'zoosh-1', name));
  for (const words of [
    ['verify', parted],
    ['export-apache', parted, '--to', join(folder, 'never')],
  ]) {
    const ran = await zoosh(words);
    assert.equal(ran.code, 44, ran.stdout);
    assert.match(
      ran.stdout + ran.stderr,
      /log\.\S+: this log file is listed and is not there \(.*dataLogDir.*to a tool .*--log-dir/,
    );
  }
});

test('digest is what Apache makes of a login', async () => {
  const ran = await zoosh(['digest', 'super:admin', 'bob:secret']);
  assert.equal(
    ran.stdout,
    'super:admin->super:xQJmxLMiHGwaqBvst5y6rkB6HQs=\nbob:secret->bob:fyVmFCwVbTJYrznoSu1koqYEYF0=\n',
  );
  assert.equal((await zoosh(['digest', 'nobody'])).code, 2);
  for (const name of ['txnlog', 'snapshot', 'verify', 'digest'])
    assert.match((await zoosh([name, '--help'])).stdout, /^usage: zoosh /, name);
});
