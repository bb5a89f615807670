/** What zoosh says and returns by the names of ZooKeeper's scripts, beside Debian's scripts and its server. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { goldenFiles } from '../apache/memory-disk.ts';
import { placeIn, ROWS, type Row, THREE } from '../operate/failures.ts';
import { ownBlock } from '../ports.ts';

const BIN = fileURLToPath(new URL('../../../bin/zoosh.js', import.meta.url));
const SCRIPTS = '/usr/share/zookeeper/bin';
const JAVA = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dzookeeper.admin.enableServer=false'];
const CLASSES = '/usr/share/java/zookeeper.jar:/usr/share/java/*';
const DEADLINE_MS = 60_000;
const work = mkdtempSync(join(tmpdir(), 'zoosh-apache-'));
after(() => rmSync(work, { recursive: true, force: true }));

/** A port that is held until it is given back. */
async function hold(): Promise<{ port: number; free(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { port, free: () => new Promise((resolve) => server.close(() => resolve())) };
}
const freePort = (): Promise<number> => ownBlock('127.0.0.1', 1);

/** The exit code of Apache's server, which must end by itself. */
function apache(config: string, flags: readonly string[]): Promise<{ code: number; text: string }> {
  const words = [...JAVA, ...flags, '-cp', CLASSES, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', config];
  const child = spawn('java', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      text = `${text}${chunk}`.slice(-4000);
    });
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, text });
    });
  });
}

test('what does not start has the exit code of Apache', async () => {
  const [other, taken] = [await hold(), await hold()];
  const quorum = other.port; // another than the client's
  await other.free();
  try {
    const cases: Pick<Row, 'name' | 'lines' | 'myid' | 'shim' | 'before'>[] = [
      ...ROWS.filter(({ onlyOurs }) => onlyOurs !== true),
      {
        name: 'the client port is in use',
        lines: { clientPort: String(taken.port), clientPortAddress: '127.0.0.1' },
        shim: 1,
      },
      {
        name: 'a port between members is in use',
        lines: { ...THREE, 'server.1': `127.0.0.1:${quorum}:${taken.port}`, electionPortBindRetry: '1' },
        myid: '1',
        shim: 14,
      },
    ];
    const found: string[] = [];
    const wanted: string[] = [];
    const runs = cases.map(({ name, lines, shim, myid, before }) => async () => {
      // two run beside each other, and one of them may get as far as to open its port
      const { config, dataDir } = placeIn(work, { clientPort: String(await freePort()), ...lines }, myid);
      before?.(dataDir);
      // a property cannot be set from its file
      const flags = lines?.['datadir.autocreate'] === 'false' ? ['-Dzookeeper.datadir.autocreate=false'] : [];
      const { code, text } = await apache(config, flags);
      wanted.push(`${shim} ${name}`);
      found.push(`${code} ${name}${code === shim ? '' : `: ${text}`}`);
    });
    // two at a time: a Java machine takes a processor to start
    const next = async (): Promise<void> => {
      for (let run = runs.shift(); run !== undefined; run = runs.shift()) await run();
    };
    await Promise.all([next(), next()]);
    assert.ok(found.length > 25);
    assert.deepEqual(found, wanted);
  } finally {
    await taken.free();
  }
});

/** One installation: scripts, configuration, data. */
class Installation {
  readonly dir: string;
  private readonly port: number;
  constructor(name: string, port: number) {
    this.dir = join(work, name);
    this.port = port;
    for (const sub of ['bin', 'conf', 'logs']) mkdirSync(join(this.dir, sub), { recursive: true });
    const lines = [
      `dataDir=${this.dir}/data`,
      `clientPort=${port}`,
      'clientPortAddress=127.0.0.1',
      'admin.enableServer=false',
    ];
    writeFileSync(join(this.dir, 'conf/zoo.cfg'), [...lines, ''].join('\n'));
  }
  /** What a script says and returns, without what differs between two installations. */
  run(script: string, ...words: string[]): { code: number | null; out: string; err: string } {
    const ran: SpawnSyncReturns<string> = spawnSync(join(this.dir, 'bin', script), words, {
      encoding: 'utf8',
      cwd: this.dir,
      env: {
        PATH: process.env.PATH,
        USER: 'op',
        HOSTNAME: 'host',
        ZOO_LOG_DIR: join(this.dir, 'logs'),
        ZOOCFGDIR: join(this.dir, 'conf'),
      },
      timeout: DEADLINE_MS,
    });
    const plain = (text: string): string =>
      text
        .replaceAll(this.dir, 'DIR')
        .replaceAll(String(this.port), 'PORT')
        .replace(/process \d+/g, 'process PID')
        .replace(/^.*(?:JMX|JAVA_TOOL_OPTIONS).*\n/gm, '');
    return { code: ran.status, out: plain(ran.stdout), err: plain(ran.stderr) };
  }
}

test('zkServer.sh: the same words, the same texts, the same exit codes', async () => {
  const theirs = new Installation('theirs', await freePort());
  copyFileSync(join(SCRIPTS, 'zkServer.sh'), join(theirs.dir, 'bin/zkServer.sh'));
  // Debian's names its own folders; this is what it does with others
  const env = [
    'ZOOCFG="$ZOOCFGDIR/${ZOOCFG:-zoo.cfg}"',
    `CLASSPATH='${CLASSES}'`,
    'JAVA=java',
    `JVMFLAGS='${JAVA.join(' ')}'`,
  ];
  writeFileSync(join(theirs.dir, 'bin/zkEnv.sh'), [...env, ''].join('\n'));
  const ours = new Installation('ours', await freePort());
  const made = spawnSync(process.execPath, [BIN, 'shims', join(ours.dir, 'bin')], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);

  const said = async (one: Installation): Promise<string[]> => {
    const lines: string[] = [];
    const say = (...words: string[]): void => {
      const { code, out, err } = one.run('zkServer.sh', ...words);
      lines.push(`$ ${words.join(' ')}\n${out}${err}exit ${code}`);
    };
    try {
      for (const word of ['bogus', 'status', 'stop', 'start', 'start']) say(word);
      // theirs says STARTED when the process is there
      for (let tries = 0; tries < 100 && one.run('zkServer.sh', 'status').code !== 0; tries++);
      for (const word of ['status', 'stop', 'stop', 'status']) say(word);
    } finally {
      one.run('zkServer.sh', 'stop');
    }
    return lines;
  };
  assert.deepEqual(await said(ours), await said(theirs));
  // the fourth word is a version, and the rest a date
  const version = /^Apache ZooKeeper, version 3\.\d+\.\d+\S* \d{4}-\d\d-\d\d \d\d:\d\d UTC\n$/;
  for (const one of [ours, theirs]) assert.match(one.run('zkServer.sh', 'version').out, version);
});

test('the tools for files: the same exit codes', () => {
  const bin = join(work, 'tools/bin');
  assert.equal(spawnSync(process.execPath, [BIN, 'shims', bin]).status, 0);
  const bad = join(work, 'tools/bad');
  writeFileSync(bad, 'x'.repeat(200));
  const none = join(work, 'tools/none');
  const golden = goldenFiles();
  const put = (name: string, bytes: Buffer): string => {
    const file = join(work, 'tools', name);
    writeFileSync(file, bytes);
    return file;
  };
  const whole = golden.get('log.1') as Buffer;
  const flipped = Buffer.from(whole);
  flipped[100] = (flipped[100] as number) ^ 1;
  const [log, broken, cut] = [put('log.1', whole), put('log.2', flipped), put('log.3', whole.subarray(0, 150))];
  const [short, empty] = [put('short', Buffer.from('garbage')), put('empty', Buffer.alloc(0))];
  const [left, right] = ['snapshot.0', 'snapshot.3c.snappy'].map((name) => put(name, golden.get(name) as Buffer)) as [
    string,
    string,
  ];
  const cases: [string, string, readonly string[]][] = [
    ...[
      ...[[], ['-h'], [none], ['-d', none], [bad], [log], [broken], [cut], ['-x', log], ['-c', '-z', '0x5', log]],
      ...[[short], [empty], [work], ['-c', '-z', 'x', log], ['-c', '-z', '0xg', log]],
    ].map((words): [string, string, string[]] => ['zkTxnLogToolkit.sh', 'persistence.TxnLogToolkit', words]),
    ...[
      ...[[], ['-d'], [none], ['-json', none], [bad], [short], [empty]],
      ...[[work], ['-q', left], [left, left], [left, none]],
    ].map((words): [string, string, string[]] => ['zkSnapShotToolkit.sh', 'SnapshotFormatter', words]),
    ...[
      [],
      ['-l', bad],
      ['-l', none, '-r', none, '-b', '1', '-n', '1'],
      ['-l', bad, '-r', bad, '-b', '1', '-n', '1'],
      ['-l', left, '-r', left, '-b', '1', '-n', '1'],
      ['-l', left, '-r', right, '-b', '1', '-n', '1'],
      ['-l', left, '-r', right, '-b', 'x', '-n', '1'],
      ['-l', left, '-r', right],
      ['-l', left, '-r', right, '-b', '1'],
      ['-l', left, '-r', right, '-b', '1', '-n', '1', '-q'],
      ['--left', left, '--right', right, '--bytes', '1', '--nodes', '1', '-d'],
    ].map((words): [string, string, string[]] => ['zkSnapshotComparer.sh', 'SnapshotComparer', words]),
  ];
  const codes = cases.map(([script, name, words]) => {
    const ours = spawnSync(join(bin, script), words, { encoding: 'utf8', timeout: DEADLINE_MS });
    const java = [...JAVA, '-cp', CLASSES, `org.apache.zookeeper.server.${name}`, ...words];
    const theirs = spawnSync('java', java, { encoding: 'utf8', timeout: DEADLINE_MS });
    const what = `${script} ${words.join(' ')}`;
    return [`${ours.status} ${what}`, `${theirs.status} ${what}`] as const;
  });
  assert.deepEqual(
    codes.map(([ours]) => ours),
    codes.map(([, theirs]) => theirs),
  );
});

test('zkCleanup.sh: the same refusals', async () => {
  const theirs = new Installation('their-cleanup', await freePort());
  copyFileSync(join(SCRIPTS, 'zkCleanup.sh'), join(theirs.dir, 'bin/zkCleanup.sh'));
  const env = ['ZOOCFG="$ZOOCFGDIR/zoo.cfg"', `CLASSPATH='${CLASSES}'`, 'JAVA=java', `JVMFLAGS='${JAVA.join(' ')}'`];
  writeFileSync(join(theirs.dir, 'bin/zkEnv.sh'), [...env, ''].join('\n'));
  const ours = new Installation('our-cleanup', await freePort());
  assert.equal(spawnSync(process.execPath, [BIN, 'shims', join(ours.dir, 'bin')]).status, 0);
  const cases = [
    ...[['-n', '3'], [], ['-n', '2'], ['-n', 'x'], ['-n', '3'], ['-n'], ['-x', '3'], ['-h']],
    ...[
      ['/nowhere', '-n', '3'],
      ['.', '-n', '2'],
      ['.', '-n', 'x'],
      ['.', '.', '-n', '3'],
    ],
  ];
  const said = (one: Installation): unknown[] =>
    cases.map((words, at) => {
      if (at === 1) mkdirSync(join(one.dir, 'data/version-2'), { recursive: true });
      const { code, out, err } = one.run('zkCleanup.sh', ...words);
      return { words, code, out, err: err.replace(/^.*(?:SLF4J|log4j).*\n/gm, '') };
    });
  assert.deepEqual(said(ours), said(theirs));
});
