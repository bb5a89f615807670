/** What an Apache server left is served by ours, and what ours leaves is a tree of Apache's again; refusals say what to do. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadApache } from '../../src/apache/load.ts';
import { settled } from '../../src/apache/settle.ts';
import { connect } from '../../src/index.ts';
import { nodeDisk } from '../../src/platform/disk.ts';
import { apachePassword } from '../../src/protocol/apache-password.ts';
import { type DumpedNode, dump } from '../apache/dump.ts';
import { goldenFiles } from '../apache/memory-disk.ts';
import { dumpTree } from '../apache/tree-dump.ts';
import { withoutEphemerals } from '../apache/without-ephemerals.ts';
import { PATIENCE_MS } from '../patience.ts';
import { zoosh } from './cli.ts';
import { apacheData, Folder } from './folders.ts';
import { type MemberOfTest, Members, STEADY, until } from './members.ts';
import { ServerProcess } from './process.ts';
import { hello } from './raw.ts';

const golden = goldenFiles();
const seen = JSON.parse((golden.get('dump.json') as Buffer).toString()) as DumpedNode[];
const SUPER = 'DigestAuthenticationProvider.superDigest=super:xQJmxLMiHGwaqBvst5y6rkB6HQs=';
const IMPORT = '100000001';
/** Containers and nodes with a time to live stay as they were left, however long a test takes. */
const TAKEN = [SUPER, 'extendedTypesEnabled=true', 'znode.container.checkIntervalMs=3600000'];
const PATIENT = { connectTimeoutMs: PATIENCE_MS };

async function dumpOf(hosts: string): Promise<DumpedNode[]> {
  const client = await connect(hosts, { ...PATIENT, auth: [{ scheme: 'digest', auth: 'super:admin' }] });
  try {
    return await dump(client);
  } finally {
    await client.close();
  }
}

test('a directory of Apache is refused before, served after its import, and exported again', async () => {
  await using server = new ServerProcess(TAKEN);
  const data = join(server.folder, 'data');
  apacheData(data);
  await assert.rejects(server.start(), /ended with 42.*import-apache/s);
  const before = readdirSync(join(data, 'version-2')).sort();
  const ran = await zoosh(['import-apache', data]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /^imported 40 nodes \(2 containers, 3 with a time to live\) as server 1 into /m);
  assert.match(ran.stdout, /^dropped 5 sessions and their 6 ephemeral nodes$/m);
  assert.deepEqual(readdirSync(data).sort(), ['version-2', 'zoosh-1']);
  assert.deepEqual(readdirSync(join(data, 'version-2')).sort(), before);
  await server.start();
  const expected = withoutEphemerals(seen, IMPORT);
  assert.equal(expected.length, 40);
  assert.deepEqual(await dumpOf(server.hosts), expected);
  const client = await connect(server.hosts, PATIENT);
  const named = await client.create('/app/s-', 'ours', { mode: 'persistentSequential' });
  assert.equal(named.path, '/app/s-0000000013'); // the counter goes on
  assert.equal((await client.create('/new', 'n')).stat?.czxid.toString(16).slice(0, -8), '3');
  await client.create('/here', 'e', { mode: 'ephemeral' });
  const served = await dumpOf(server.hosts);
  const running = await zoosh(['export-apache', data, '--to', join(server.folder, 'x')]);
  assert.equal(running.code, 42, running.stderr);
  await server.kill('SIGKILL');

  const to = join(server.folder, 'apache');
  const dry = await zoosh(['-n', '-o', 'json', 'export-apache', data, '--to', to]);
  const out = await zoosh(['-o', 'json', 'export-apache', data, '--to', to]);
  assert.equal(out.code, 0, out.stderr);
  const told = JSON.parse(out.stdout) as { zxid: string; dropped: unknown; nodes: number; notKnownCommitted: number };
  const { dryRun, ...would } = JSON.parse(dry.stdout) as Record<string, unknown>;
  assert.deepEqual([dryRun, { ...told, ...would }], [true, told]);
  assert.deepEqual([told.dropped, told.notKnownCommitted], [{ sessions: 1, ephemerals: 1 }, 0]);
  assert.equal(told.nodes, served.length - 1);
  assert.deepEqual(readdirSync(to).sort(), ['myid', 'version-2']);
  assert.equal(readFileSync(join(to, 'version-2', 'currentEpoch'), 'utf8'), String(BigInt(told.zxid) >> 32n));
  const folder = join(to, 'version-2');
  const { state } = await loadApache(nodeDisk, { data: folder, log: folder }, { acceptLoss: true });
  assert.deepEqual(dumpTree(settled(state)), withoutEphemerals(served, told.zxid.slice(2)));
  const verified = await zoosh(['verify', to]);
  assert.equal(verified.code, 0, verified.stdout);
  assert.match(verified.stdout, /log\.\w+: 0 transactions$/m);
  assert.doesNotMatch(verified.stdout, /^note/m);
  // and taken back, whole
  const home = join(server.folder, 'home');
  const taken = await zoosh(['import-apache', to, '--to', home]);
  assert.equal(taken.code, 0, taken.stderr);
  assert.match(taken.stdout, new RegExp(`^imported ${told.nodes} nodes `, 'm'));
  assert.equal(taken.stderr, '');
  const again = await zoosh(['export-apache', data, '--to', to]);
  assert.equal(again.code, 42);
  assert.match(again.stderr, /an Apache server was there already/);
});

test('one imported member grows to the three of its zoo.cfg, and what each holds at the end is exported alike', async () => {
  await using members = await Members.make({ voters: 3, lines: [...TAKEN, STEADY] });
  const first = members.member(1);
  apacheData(first.data);
  const ran = await zoosh(['import-apache', first.data]);
  assert.equal(ran.code, 0, ran.stderr);
  members.startAll();
  await members.serving();
  await members.equal();
  const expected = withoutEphemerals(seen, IMPORT).filter(({ path }) => path !== '/zookeeper/config');
  const found = await dumpOf(members.member(3).hosts);
  assert.deepEqual(
    found.filter(({ path }) => path !== '/zookeeper/config'),
    expected,
  );
  const client = await connect(members.member(2).hosts, PATIENT);
  await client.create('/last', 'acknowledged');
  const nodes = (await client.getAllChildrenNumber('/')) + 1;
  await Promise.all(members.all.map((member) => member.kill('SIGKILL')));
  client.close().catch(() => {});
  let holders = 0;
  for (const { data, folder } of members.all) {
    const out = await zoosh(['-o', 'json', 'export-apache', data, '--to', join(folder, 'apache')]);
    assert.equal(out.code, 0, out.stderr);
    const place = join(folder, 'apache', 'version-2');
    const { state } = await loadApache(nodeDisk, { data: place, log: place }, { acceptLoss: true });
    const row = state.tree.find('/last');
    if (row === 0) continue;
    holders++;
    assert.equal(state.tree.rows.count, nodes);
    assert.equal(state.tree.data(row)?.toString(), 'acknowledged');
  }
  assert.ok(holders >= 2, `${holders} of three exported what was acknowledged last`);
});

test('two directories of Apache become two of ours, under its id', async () => {
  using folder = new Folder();
  const only = (isLog: boolean) => (files: Map<string, Buffer>) => {
    for (const name of [...files.keys()]) if (name.startsWith('log') !== isLog) files.delete(name);
  };
  const data = apacheData(join(folder.path, 'data'), only(false));
  const log = apacheData(join(folder.path, 'log'), only(true));
  writeFileSync(join(data, 'myid'), '7\n');
  const alone = await zoosh(['import-apache', data]);
  assert.equal(alone.code, 44, alone.stdout);
  assert.match(alone.stderr, /is dataLogDir elsewhere/);
  const ran = await zoosh(['import-apache', data, '--log-dir', log]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /as server 7 into .*data\/zoosh-1 and .*log\/zoosh-1$/m);
  assert.ok(readdirSync(join(log, 'zoosh-1')).some((name) => name.startsWith('log.')));
  assert.ok(readdirSync(join(data, 'zoosh-1')).some((name) => name.startsWith('snapshot.')));
  // an import that was interrupted between its two directories is no empty tree
  const work = join(data, 'zoosh-1.importing');
  mkdirSync(work);
  renameSync(join(data, 'zoosh-1'), join(work, 'zoosh-1'));
  const cfg = join(folder.path, 'zoo.cfg');
  writeFileSync(cfg, `dataDir=${data}\ndataLogDir=${log}\nclientPort=0\nclientPortAddress=127.0.0.1\n`);
  const started = await zoosh(['start', 'server', '--config', cfg, '--myid', '7']);
  assert.equal(started.code, 42, started.stdout);
  assert.match(started.stderr, /zoosh-1\.importing is of an import or a restoration [^\n]* run that command again/);
  const again = await zoosh(['import-apache', data, '--log-dir', log]);
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(readdirSync(data).sort(), ['myid', 'version-2', 'zoosh-1']);
  assert.deepEqual(readdirSync(log).sort(), ['version-2', 'zoosh-1']);
  const taken = await zoosh(['import-apache', data, '--log-dir', log]);
  assert.equal(taken.code, 42);
  assert.match(taken.stderr, /zoosh-1 holds .* move that folder away/);
});

test('what is not whole is told with its place, and taken as far as it goes only when that is said', async () => {
  using folder = new Folder();
  const broken = apacheData(join(folder.path, 'data'), (files) => {
    const log = Buffer.from(files.get('log.3d') as Buffer);
    log[200] = (log[200] as number) ^ 1;
    files.set('log.3d', log);
  });
  const ran = await zoosh(['import-apache', broken]);
  assert.equal(ran.code, 44, ran.stdout);
  assert.match(ran.stderr, /^error: data damaged: .*log\.3d, offset \d+: the checksum of a transaction is wrong\.?$/m);
  assert.deepEqual(readdirSync(broken), ['version-2']);
  const taken = await zoosh(['import-apache', broken, '--accept-loss']);
  assert.equal(taken.code, 0, taken.stderr);
  assert.match(taken.stderr, /^warning: lost: .*log\.3d, offset \d+: .* what follows 0x[0-9a-f]+ is left out$/m);
  assert.ok(existsSync(join(broken, 'zoosh-1', 'identity')));
});

test('an import is refused where it would hurt or has nothing to take', async () => {
  using folder = new Folder();
  const data = apacheData(join(folder.path, 'data'));
  const dry = await zoosh(['-n', 'import-apache', data]);
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^would import 40 nodes\. {2}Nothing was written\.$/m);
  assert.deepEqual(readdirSync(data), ['version-2']);
  // a process that has a log open, as a server has
  const holder = spawn('tail', ['-f', join(data, 'version-2', 'log.3d')], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(holder.stdout, 'data');
  const used = await zoosh(['import-apache', data]);
  // nor is what lies there removed under it
  const config = join(folder.path, 'zoo.cfg');
  writeFileSync(config, `dataDir=${data}\n`);
  const wiped = await zoosh(['-y', 'server', 'initialize', '--force', '--configfile', config]);
  assert.deepEqual([wiped.code, /Stop that server first/.test(wiped.stderr)], [42, true], wiped.stderr);
  assert.ok(existsSync(join(data, 'version-2', 'log.3d')));
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  assert.equal(used.code, 42, used.stdout);
  assert.match(used.stderr, new RegExp(`process ${holder.pid} has files of .* open\\. Stop that server first`));
  // epochs that no server can have promised, with which there is none left, or one below what clients have seen
  const promised = join(data, 'version-2', 'acceptedEpoch');
  for (const epoch of ['2147483646', '2147483647', '4294967295', '9999999999']) {
    writeFileSync(promised, epoch);
    for (const dry of [['-n'], []]) {
      const refused = await zoosh([...dry, 'import-apache', data]);
      assert.deepEqual([refused.code, refused.stderr.includes(`epoch ${epoch} cannot be`)], [44, true], refused.stderr);
    }
  }
  rmSync(promised);
  // what an interrupted import left counts for nothing and is removed
  mkdirSync(join(data, 'zoosh-1.importing', 'zoosh-1'), { recursive: true });
  writeFileSync(join(data, 'zoosh-1.importing', 'zoosh-1', 'identity'), 'half');
  const ran = await zoosh(['-o', 'json', 'import-apache', data]);
  assert.equal(ran.code, 0, ran.stderr);
  const told = JSON.parse(ran.stdout) as Record<string, unknown>;
  assert.deepEqual(
    [told.nodes, told.dropped, told.digest, told.lastZxid, told.zxid, told.epoch, told.lost],
    [40, { sessions: 5, ephemerals: 6 }, true, '0x45', `0x${IMPORT}`, 2, []],
  );
  assert.deepEqual(readdirSync(data).sort(), ['version-2', 'zoosh-1']);
  const again = await zoosh(['import-apache', data]);
  assert.equal(again.code, 42);
  assert.match(again.stderr, /a zoosh server was there already/);
  cpSync(join(data, 'version-2'), join(folder.path, 'other'), { recursive: true });
  const bare = await zoosh(['import-apache', join(folder.path, 'other'), '--to', join(folder.path, 'made')]);
  assert.equal(bare.code, 0, bare.stderr);
  for (const [args, text] of [
    [['import-apache'], /DIR is missing/],
    [['import-apache', join(folder.path, 'none')], /there is no version-2/],
    [['import-apache', data, '--myid', '300'], /a server's id is 1 to 254/],
    [['import-apache', data, 'x'], /one word too many/],
    [['export-apache', join(folder.path, 'none'), '--to', folder.path], /there is no zoosh-1/],
    [['export-apache', data], /needs --to/],
  ] as const) {
    const refused = await zoosh(args);
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, text);
  }
  for (const name of ['import-apache', 'export-apache']) {
    const help = await zoosh([name, '--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /^usage: zoosh /);
  }
});

/** A process that looks as one of Apache's servers does that was started on this zoo.cfg, in that folder. */
async function apacheLookalike(cwd: string, file: string): Promise<AsyncDisposable> {
  const words = [
    '-e',
    'console.log("up"); setInterval(() => {}, 1000)',
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
  ];
  const child = spawn(process.execPath, [...words, file], { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

test('a server of Apache that has taken no write yet has no log open, and is seen all the same', async () => {
  using folder = new Folder();
  const data = apacheData(folder.in('data'));
  writeFileSync(folder.in('zoo.cfg'), 'tickTime=2000\ndataDir = data\nclientPort=1\n');
  {
    await using _server = await apacheLookalike(folder.path, 'zoo.cfg');
    for (const words of [
      ['import-apache', data],
      ['-n', 'import-apache', data],
      ['verify', data],
    ]) {
      const refused = await zoosh(words);
      assert.equal(refused.code, 42, refused.stdout);
      assert.match(refused.stderr, /process \d+ is a ZooKeeper server of .*data\. Stop that server first/);
    }
  }
  // as of another directory
  apacheData(folder.in('other'));
  writeFileSync(folder.in('zoo.cfg'), `dataDir=${folder.in('other')}\n`);
  await using _other = await apacheLookalike(folder.path, folder.in('zoo.cfg'));
  const ran = await zoosh(['import-apache', data]);
  assert.equal(ran.code, 0, ran.stderr);
});

test('what an Apache server took after the import is not passed over at the start', async () => {
  await using server = new ServerProcess(TAKEN);
  const data = join(server.folder, 'data');
  const log3d = goldenFiles().get('log.3d') as Buffer;
  apacheData(data, (files) => void files.delete('log.3d'));
  assert.equal((await zoosh(['import-apache', data])).code, 0);
  await server.start(); // nothing came since
  await server.kill('SIGTERM');
  assert.equal((await zoosh(['verify', data])).code, 0);
  const later = join(data, 'version-2', 'log.3d');
  // made, and nothing was written yet: nothing is missing
  writeFileSync(later, Buffer.concat([log3d.subarray(0, 16), Buffer.alloc(500)]));
  assert.equal((await zoosh(['verify', data])).code, 0);
  writeFileSync(later, log3d);
  const told = /log\.3d goes to zxid 0x45, and what was imported into .*zoosh-1 ends at 0x3c.*--ignore-apache-data/s;
  await assert.rejects(server.start(), new RegExp(`ended with 42.*${told.source}`, 's'));
  const verified = await zoosh(['verify', data]);
  assert.equal(verified.code, 42, verified.stdout);
  assert.match(verified.stdout, told);
  const again = await zoosh(['import-apache', data]);
  assert.equal(again.code, 42, again.stdout);
  assert.match(again.stderr, told);
  server.words = ['--ignore-apache-data'];
  await server.start();
  await server.kill('SIGTERM');
  server.words = [];
  // the log that was the newest, and went on
  const other = apacheData(join(server.folder, 'other'), (files) => {
    const log = files.get('log.3d') as Buffer;
    files.set('log.3d', Buffer.concat([log.subarray(0, 400), Buffer.alloc(4000)]));
  });
  assert.equal((await zoosh(['import-apache', other])).code, 0);
  assert.equal((await zoosh(['verify', other])).code, 0);
  writeFileSync(join(other, 'version-2', 'log.3d'), log3d);
  const grown = await zoosh(['verify', other]);
  assert.equal(grown.code, 42, grown.stdout);
  assert.match(grown.stdout, /log\.3d goes to zxid 0x45/);
  // a directory that was imported before there were notes is taken as it is
  rmSync(join(other, 'zoosh-1', 'imported'));
  assert.equal((await zoosh(['verify', other])).code, 0);
});

/** Says hello for a session; resolves with its id and password as they are answered, id 0n when it is over. */
async function takeUp(port: number, session: bigint, password: Buffer): Promise<{ id: bigint; password: Buffer }> {
  const socket = dial(port, '127.0.0.1');
  try {
    socket.write(hello(session, password, 40_000));
    for await (const answer of socket) {
      const bytes = answer as Buffer;
      return { id: bytes.readBigInt64BE(12), password: bytes.subarray(24, 40) };
    }
    throw new Error('it hung up');
  } finally {
    socket.destroy();
  }
}

test('sessions that are kept are taken up once with the password of Apache, and keep their nodes', async () => {
  await using server = new ServerProcess(TAKEN);
  const data = apacheData(join(server.folder, 'data'));
  const dry = await zoosh(['-n', 'import-apache', data, '--keep-sessions']);
  assert.match(
    dry.stdout,
    /^would keep 5 sessions and their 6 ephemeral nodes: start the server within their timeout$/m,
  );
  const ran = await zoosh(['-o', 'json', 'import-apache', data, '--keep-sessions']);
  assert.equal(ran.code, 0, ran.stderr);
  const told = JSON.parse(ran.stdout) as Record<string, unknown>;
  assert.deepEqual(
    [told.nodes, told.kept, told.dropped],
    [46, { sessions: 5, ephemerals: 6 }, { sessions: 0, ephemerals: 0 }],
  );
  assert.equal((await zoosh(['verify', data])).code, 0);
  await server.start();
  // nothing changed for who looks at the tree, but for who the members are
  const found = await dumpOf(server.hosts);
  const others = (nodes: readonly DumpedNode[]): DumpedNode[] =>
    nodes.filter(({ path }) => path !== '/zookeeper/config');
  assert.deepEqual(others(found), others(seen));
  const id = 72057678312177664n;
  const first = await takeUp(server.port, id, apachePassword(id));
  assert.equal(first.id, id);
  assert.notDeepEqual(first.password, apachePassword(id));
  assert.equal((await takeUp(server.port, id, apachePassword(id))).id, 0n);
  assert.deepEqual(await takeUp(server.port, id, first.password), first);
  assert.equal((await takeUp(server.port, id + 1n, apachePassword(id))).id, 0n);
  // what was answered is on the disk
  await server.kill('SIGKILL');
  await server.start();
  assert.equal((await takeUp(server.port, id, apachePassword(id))).id, 0n);
  assert.equal((await takeUp(server.port, id, first.password)).id, id);
  assert.deepEqual(others(await dumpOf(server.hosts)), others(seen));
});

/** How a server of Apache's begins a connection for votes. */
function apacheGreeting(sid: number): Buffer {
  const greeting = Buffer.alloc(24);
  greeting.writeBigInt64BE(-65536n, 0);
  greeting.writeBigInt64BE(BigInt(sid), 8);
  return greeting;
}

test('a member without a history that met one of Apache founds nothing, in this life and the next', async () => {
  await using members = await Members.make({ voters: 3 });
  const one = members.member(1);
  one.start();
  const election = Number(/^server\.1=[^:]+:\d+:(\d+)/m.exec(readFileSync(join(one.folder, 'zoo.cfg'), 'utf8'))?.[1]);
  // as Apache's server 2 begins a connection for votes
  const said = (text: RegExp): Promise<void> =>
    until(
      () => text.test(one.log),
      PATIENCE_MS,
      () => members.tail(),
    );
  await until(
    async () => {
      const socket = dial(election, '127.0.0.1');
      socket.on('error', () => {});
      socket.end(apacheGreeting(2));
      await new Promise((resolve) => socket.on('close', resolve));
      return /member 2 is an Apache server/.test(one.log);
    },
    PATIENCE_MS,
    () => members.tail(),
  );
  await said(/this one founds no ensemble/);
  await one.kill('SIGKILL');
  members.note('again');
  members.startAll();
  await until(
    () => [2, 3].every((id) => /server 1 has no history and founds no ensemble/.test(members.member(id).log)),
    PATIENCE_MS,
    () => members.tail(),
  );
  const again = (): string => one.log.split('--- again')[1] ?? '';
  const wayOut = /is, or was, one of Apache ZooKeeper.*--ignore-apache-data/;
  await until(
    () => wayOut.test(again()),
    PATIENCE_MS,
    () => `${again()}${members.tail()}`,
  );
  for (const member of members.all) assert.notEqual((await member.status())?.serving, true);
  // what it says is the way out
  await one.kill('SIGTERM');
  apacheData(one.data);
  const ran = await zoosh(['import-apache', one.data]);
  assert.equal(ran.code, 0, ran.stderr);
  one.start();
  await members.serving();
  await members.equal();
});

test('where members know each other by a secret, a stranger that begins as Apache does keeps nobody from founding', async () => {
  using folder = new Folder();
  const secret = folder.in('peer-secret');
  writeFileSync(secret, `${Buffer.alloc(32, 5).toString('base64')}\n`, { mode: 0o600 });
  await using members = await Members.make({ voters: 3, lines: [`peer.secretFile=${secret}`] });
  const [one, two] = [members.member(1), members.member(2)];
  one.start();
  two.start();
  const electionOf = ({ folder: of }: MemberOfTest): number =>
    Number(/^server\.1=[^:]+:\d+:(\d+)/m.exec(readFileSync(join(of, 'zoo.cfg'), 'utf8'))?.[1]);
  // from an address of no server line
  await until(
    async () => {
      const socket = dial({ port: electionOf(one), host: '127.0.0.1', localAddress: '127.0.0.9' });
      socket.on('error', () => {});
      socket.end(apacheGreeting(3));
      await new Promise((resolve) => socket.on('close', resolve));
      return /127\.0\.0\.9: member 3 is an Apache server/.test(one.log);
    },
    PATIENCE_MS,
    () => members.tail(),
  );
  members.startAll();
  await members.serving();
  assert.doesNotMatch(one.log, /founds no ensemble/);
});

test('a server does not start from an import that lacks what Apache wrote behind it', async () => {
  await using server = new ServerProcess(TAKEN);
  const data = join(server.folder, 'data');
  apacheData(data);
  const folder = join(data, 'version-2');
  const seenLast = await zoosh(['-n', '-o', 'json', 'import-apache', data]);
  const before = BigInt((JSON.parse(seenLast.stdout) as { lastZxid: string }).lastZxid);
  // it died in the first write of a new log: there is a file for it, and nothing whole in it
  const head = readFileSync(join(folder, readdirSync(folder).find((name) => name.startsWith('log.')) ?? '')).subarray(
    0,
    16,
  );
  writeFileSync(join(folder, `log.${(before + 1n).toString(16)}`), head);
  const ran = await zoosh(['-o', 'json', 'import-apache', data]);
  assert.equal(ran.code, 0, ran.stderr);
  await server.start();
  await server.kill('SIGTERM');
  // as a restart of that server leaves it: a snapshot of where it ended; it took more where a later one lies
  writeFileSync(join(folder, `snapshot.${before.toString(16)}`), '');
  await server.start();
  await server.kill('SIGTERM');
  const later = `snapshot.${(before + 5n).toString(16)}`;
  writeFileSync(join(folder, later), '');
  const told = new RegExp(`${later} goes to zxid 0x${(before + 5n).toString(16)}, and what was imported`);
  await assert.rejects(server.start(), new RegExp(`ended with 42.*${told.source}`, 's'));
  const verified = await zoosh(['verify', data]);
  assert.match(verified.stdout, told);
  renameSync(folder, join(server.folder, 'away'));
  await server.start();
});
