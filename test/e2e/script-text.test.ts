/** Scripts as bytes: what is no text is told, not guessed at, and standard input is read by one alone. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Client, connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { BIN, type Ran } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-text-'));
let client: Client;
before(async () => {
  await server.start();
  // this process stands still while programs run: the longest time that the server gives
  client = await connect(server.hosts, { timeoutMs: 40_000 });
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const run = (words: readonly string[], input: string | Buffer = ''): Ran => {
  const env = {
    PATH: process.env.PATH,
    ZOOSH_CODE_CACHE: process.env.ZOOSH_CODE_CACHE ?? 'off',
    ZOOSH_HOME: '/nonexistent',
    LANG: 'C.UTF-8',
  };
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
  const options = { env, input: bytes, cwd: folder, timeout: PATIENCE_MS } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, server.hosts, ...words], options);
  return { code: status ?? 128, stdout: stdout.toString('latin1'), stderr: stderr.toString() };
};
const hint = `bytes that are not text are given as @FILE, as @- or as $'\\xHH'`;
const refused = ({ code, stderr }: Ran, place: string): void =>
  assert.deepEqual([code, stderr], [2, `error: ${place}: not UTF-8 text\n hint: ${hint}\n`]);

test('a script that is not UTF-8 is refused where it is not, and stores nothing of that', async () => {
  await client.create('/a', 'before');
  refused(run([], 'set /a x\xff\n'), 'stdin:1');
  assert.equal((await client.get('/a')).data?.toString(), 'before');
  // what stands before it has been done: lines run as they come
  const mixed = run([], 'set /a first\nget /a\n# gr\xfc\xdf\nset /a second\n');
  assert.equal(mixed.stdout, '1\nfirst\n');
  refused(mixed, 'stdin:3');
  refused(run([], 'set /a <<END\none\ntw\xf6\nEND\n'), 'stdin:3');
  refused(run([], `create /long ${'x'.repeat(200_000)}\xe4\n`), 'stdin:1');
  refused(run([], 'set /a x\nset /a y\xe4'), 'stdin:2');
  // a file is read as a whole before anything of it is run
  writeFileSync(join(folder, 'latin.zk'), 'set /a never\nset /a gr\xfcn\n', 'latin1');
  refused(run(['./latin.zk']), './latin.zk:2');
  refused(run(['run', 'latin.zk']), 'latin.zk:2');
  refused(run(['txn', '-f', 'latin.zk']), 'latin.zk:2');
  assert.equal((await client.get('/a')).data?.toString(), 'x');
  refused(run(['--atomic'], 'set /a y\nset /a z\xff\n'), 'stdin:2');
  assert.equal((await client.get('/a')).data?.toString(), 'x');
  // characters in several pieces are whole, U+FFFD may be meant, and so may a mark at the beginning
  const text = `\ufeffset /a "${'grün '.repeat(30_000)}\ufffd"\nget /a\n`;
  const whole = run([], Buffer.from(text));
  assert.deepEqual([whole.code, whole.stderr], [0, '']);
  assert.equal(Buffer.from(whole.stdout, 'latin1').toString().length, 2 + 150_000 + 2);
});

test('what a command prints is text before it becomes a variable', async () => {
  await client.create('/binary', Buffer.from([0x78, 0xff]));
  const let_ = run(['-c', 'let x = $(get /binary); create /copy ${x}']);
  assert.equal(let_.code, 2);
  assert.match(
    let_.stderr,
    /^error: \$\(get \/binary\): not UTF-8 text\n hint: get PATH > FILE keeps the bytes, and @FILE gives them\n$/,
  );
  assert.equal(await client.exists('/copy'), undefined);
});

test('import takes no text that is not UTF-8', async () => {
  const header = '{"zoosh":"export","version":1,"root":"/i","acl":false}\n';
  const line = (path: string, data: string): string =>
    `{"path":"${path}","data":"${data}","encoding":"utf8","kind":"persistent"}\n`;
  for (const [text, place] of [
    [`${header}${line('/i', 'x')}${line('/i/a', 'gr\xfcn')}`, ':3'],
    ['/i=x\n/i/a=gr\xfcn\n', ':2'],
    ['{\n"/i": {"content": "gr\xfcn", "acls": []}\n}\n', ':2'],
  ] as const) {
    const ran = run(['import', '-'], text);
    assert.equal(ran.code, 2, ran.stderr);
    assert.match(ran.stderr, new RegExp(`standard input${place}: not UTF-8 text\\n`));
    assert.equal(await client.exists('/i/a'), undefined);
  }
});

test('a script on standard input gives no data besides', async () => {
  await client.create('/d', 'before');
  const all = ['@-', '--stdin', '@/dev/stdin', '@/dev/fd/0', '@/proc/self/fd/0', '--file /dev/stdin'];
  for (const word of all)
    for (const rest of ['\ndata', '\n', '']) {
      const ran = run([], `set /d ${word}${rest}`);
      assert.deepEqual([ran.code, ran.stdout], [2, ''], word);
      assert.equal(
        ran.stderr,
        'stdin:1: error: standard input is the script itself\n hint: @FILE or a heredoc (<<END) gives data in a script, and zoosh FILE.zk leaves standard input free\n',
        word,
      );
    }
  assert.match(run([], 'import -\n').stderr, /standard input is the script itself/);
  assert.match(run([], 'import /dev/stdin\n').stderr, /standard input is the script itself/);
  assert.equal((await client.get('/d')).data?.toString(), 'before');
  // from elsewhere it is data
  writeFileSync(join(folder, 'from.zk'), 'set /d @-\n');
  for (const [at, words] of [
    ['set', '/d', '@-'],
    ['set', '/d', '--stdin'],
    ['set', '/d', '@/dev/stdin'],
    ['-c', 'set /d @-'],
    ['./from.zk'],
  ].entries()) {
    assert.equal(run(words, `data ${at}`).stderr, '');
    assert.equal((await client.get('/d')).data?.toString(), `data ${at}`);
  }
});

test('each and find -exec: {} is the path as a word of its own or in a bare one, and stays in quotes and in JSON', async () => {
  await client.create('/ea');
  await client.create('/ea/x');
  const after = async (line: string): Promise<string | undefined> => {
    const ran = run([], `${line}\n`);
    assert.deepEqual([ran.code, ran.stderr], [0, ''], line);
    return (await client.get('/ea/x')).data?.toString();
  };
  for (const begin of ['each /ea/* do', 'find /ea -name x -exec']) {
    for (const [words, stored] of [
      ['set {} {}', '/ea/x'],
      ['set {} {name}', 'x'],
      ['set {} at:{}', 'at:/ea/x'],
      ["set {} '{}'", '{}'],
      ['set {} "{}"', '{}'],
      ['set {} "at {name}"', 'at {name}'],
      ["set {} $'{}\\x21'", '{}!'],
      ['set {} {"p":{}}', '{"p":{}}'],
      ['set {} {"p":{},"n":"{name}"}', '{"p":{},"n":"{name}"}'],
      ['set {} [{}]', '[{}]'],
      ["set {} --text '{}'", '{}'],
      ['set {} --text {}', '/ea/x'],
    ] as const)
      assert.equal(await after(`${begin} ${words}`), stored, `${begin} ${words}`);
  }
  assert.equal(await after('each /ea/* do set {} {"p": {}}'), '{"p": {}}');
  assert.equal(await after('each /ea/* do set {} <<END\n{}\nEND'), '{}');
  // words from the system's own shell have lost their quotes: JSON is known by being JSON
  const one = async (...words: string[]): Promise<string | undefined> => {
    const ran = run(words);
    assert.deepEqual([ran.code, ran.stderr], [0, ''], words.join(' '));
    return (await client.get('/ea/x')).data?.toString();
  };
  assert.equal(await one('each', '/ea/*', 'do', 'set', '{}', '{"p": {}}'), '{"p": {}}');
  assert.equal(await one('each', '/ea/*', 'do', 'set', '{}', '{ }'), '{ }');
  assert.equal(await one('each', '/ea/*', 'do', 'set', '{}', '{}'), '/ea/x');
  assert.equal(await one('each', '/ea/*', 'do', 'put', '{}-{name}', '{}'), '/ea/x');
  assert.equal((await client.get('/ea/x-x')).data?.toString(), '/ea/x');
});

test('files for import and apply may begin with a byte order mark', async () => {
  const header = '{"zoosh":"export","version":1,"root":"/bom","acl":false}\n';
  const line = '{"path":"/bom","data":"x","encoding":"utf8","kind":"persistent"}\n';
  const made = 'created\t1\nupdated\t0\nsame\t0\nskipped\t0\n';
  for (const text of [header + line, '/bom=x\n', '{"/bom": {"content": "x", "acls": []}}\n']) {
    const bytes = Buffer.from(`\ufeff${text}`);
    for (const [name, input] of [
      ['bom.txt', bytes],
      ['bom.gz', gzipSync(bytes)],
    ] as const) {
      writeFileSync(join(folder, name), input);
      const ran = run(['import', name]);
      assert.deepEqual([ran.stdout, ran.stderr], [made, ''], `${name} of ${text}`);
      assert.equal((await client.get('/bom')).data?.toString(), 'x');
      assert.deepEqual(run(['apply', '--check', '-f', name]).code, 0);
      await client.delete('/bom');
      assert.equal(run(['import', '-'], input).stdout, made);
      await client.delete('/bom');
    }
  }
  // a folder that a person has edited
  mkdirSync(join(folder, 'bom'));
  writeFileSync(join(folder, 'bom', '__data__'), 'x');
  writeFileSync(join(folder, 'bom', '__node__.json'), '\ufeff{ "acl": "world:anyone:r" }');
  assert.equal(run(['import', 'bom']).stdout, made);
});

test('records of a script in JSON stand alone on standard output, one a command, each as it was written', async () => {
  writeFileSync(join(folder, 'two.zk'), 'create /rec x\nget /rec\n! echo inner\n');
  const ran = run(
    ['-o', 'ndjson'],
    ['!echo os', 'ls / | wc -l', 'pwd; ! echo "a; b"', 'run two.zk', 'pwd', '!exit 3', ''].join('\n'),
  );
  assert.equal(ran.code, 3);
  const records = ran.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { line: number; command: string; ok: boolean; result?: unknown });
  assert.deepEqual(
    records.map(({ line, command, ok }) => [line, command, ok]),
    [
      [1, '!echo os', true],
      [2, 'ls / | wc -l', true],
      [3, 'pwd', true],
      [3, '! echo "a; b"', true],
      [4, 'run two.zk', true],
      [5, 'pwd', true],
      [6, '!exit 3', false],
    ],
  );
  // what a file does is the result of the line that runs it, all of it
  assert.deepEqual(
    ((records[4]?.result ?? []) as { path: string }[]).map(({ path }) => path),
    ['/rec', '/rec'],
  );
  assert.match(ran.stderr, /^os\n\d+\na; b\ninner\n/);
  // without records programs print where they always did
  assert.equal(run(['-c', '!echo os']).stdout, 'os\n');
  assert.equal(run([], '!echo os\n').stdout, 'os\n');
});

test('a program that fails ends a script, as a command does; 1 is an answer', () => {
  const all = (text: string, ...words: string[]) => {
    const { code, stdout, stderr } = run(words, text);
    return [code, stdout, stderr];
  };
  const seven = "stdin:1: error: sh -c 'exit 7' ended with 7\n";
  assert.deepEqual(all("echo x | sh -c 'exit 7'\necho never\n"), [7, '', seven]);
  assert.deepEqual(all("! sh -c 'exit 7'\necho never\n"), [7, '', seven]);
  const missing = all('!/nonexistent/program --quietly\necho never\n');
  assert.deepEqual(missing.slice(0, 2), [127, '']);
  assert.match(String(missing[2]), /stdin:1: error: \/nonexistent\/program --quietly ended with 127\n$/);
  assert.deepEqual(all("!sh -c 'exit 7' || echo asked\n"), [0, 'asked\n', '']);
  assert.deepEqual(all('echo x | grep -q y\necho ${?}\n'), [0, '1\n', '']);
  const [code, stdout, stderr] = all('!exit 7\necho goes on\n', '-k');
  assert.deepEqual([code, stdout], [7, 'goes on\n']);
  assert.match(String(stderr), /^stdin:1: error: exit 7 ended with 7\n/);
  // the last of a text is its answer, which whoever gave it gets
  const file = join(folder, 'program.zk');
  writeFileSync(file, 'echo x\n!exit 7\n');
  for (const words of [['-c', 'echo x\n!exit 7'], [file]])
    assert.deepEqual([run(words).code, run(words).stderr], [7, ''], String(words));
  writeFileSync(file, '!exit 7\necho never\n');
  const named = run(['-c', `run ${file}\necho never`]);
  assert.deepEqual([named.code, named.stdout], [7, '']);
  assert.match(named.stderr, /program\.zk:1: error: exit 7 ended with 7\n$/);
});

test('a program that a lock, an election or a watch ran ends a script with 1, too: || could have asked', () => {
  const all = (text: string, ...words: string[]) => {
    const { code, stdout, stderr } = run(words, text);
    return [code, stdout, stderr];
  };
  const told = (line: number, code: number) => `stdin:${line}: error: sh -c exit ${code} ended with ${code}\n`;
  assert.deepEqual(all("lock /ran/l -- sh -c 'exit 7'\necho never\n"), [7, '', told(1, 7)]);
  assert.deepEqual(all("semaphore -n 2 /ran/s -- sh -c 'exit 1'\necho never\n"), [1, '', told(1, 1)]);
  const elected = all("elect --id me /ran/e -- sh -c 'exit 1'\necho never\n");
  assert.deepEqual([elected[0], elected[1]], [1, '']);
  assert.match(String(elected[2]), /error: sh -c exit 1 ended with 1\n$/);
  assert.deepEqual(all("lock /ran/l -- sh -c 'exit 1' || echo asked\n"), [0, 'asked\n', '']);
  assert.deepEqual(all("lock /ran/l -- sh -c 'exit 1'\necho goes on\n", '-k').slice(0, 2), [1, 'goes on\n']);
  // within another command it is the first failure that ends it
  const repeated = all("repeat 3 lock /ran/l -- sh -c 'echo ran; exit 7'\necho never\n");
  assert.deepEqual([repeated[0], repeated[1]], [7, 'ran\n']);
  // alone it is the answer
  assert.deepEqual([run(['lock', '/ran/l', '--', 'sh', '-c', 'exit 7']).code], [7]);
  assert.equal(run(['lock', '/ran/l', '--', 'sh', '-c', 'exit 7']).stderr, '');
});

test('what stands in a heredoc or in a transaction that is refused is not run by itself, with -k either', async () => {
  for (const [script, told] of [
    ['set /a <<END |\ncreate /by-itself\nEND\n', /^stdin:1: error: a command must follow \|/],
    ['set /a <<END > |\ncreate /by-itself\nEND\n', /^stdin:1: error: /],
    ['txn { get /a > f\ncreate /by-itself\n}\n', /^stdin:1: error: a transaction has operations only/],
    ['txn { get /a | cat <<END\ncreate /by-itself\nEND\n}\n', /^stdin:1: error: a transaction has operations only/],
    ...[
      'each /zookeeper/* do',
      'repeat 2 each /zookeeper do',
      'each -k /zookeeper do time repeat 2',
      'find / -exec',
      'repeat 2 get',
    ].map(
      (runs) => [`${runs} txn { check {}\ncreate /by-itself\n}\n`, / a transaction cannot be what it runs$/] as const,
    ),
    [
      'time repeat 2 txn { check /ran\ncreate /by-itself; check /not/there 3\n}\n',
      /^stdin:1: error: transaction rolled/,
    ],
    ['get /a | cat <<END\ncreate /by-itself\nEND\n', /^$/],
    ['let v = $(get /a | cat <<END)\ncreate /by-itself\nEND\n', /^stdin:1: error: \$\(.*\) is not one command$/],
    ['let v = $(exists /a<<END)\nexists /b\n', /^$/],
    ['let v = $(set /a <<END)\ncreate /by-itself\nEND\n', /^stdin:1: error: /],
  ] as const) {
    const ran = run(['-k'], `${script}exists /by-itself\n`);
    assert.equal(ran.stdout.split('\n').at(-2), 'no', script);
    assert.match(ran.stderr.split('\n')[0] ?? '', told);
    assert.equal(await client.exists('/by-itself'), undefined, script);
  }
});

test('time and repeat run a transaction, with what its variables are then, into a program and a file as well', async () => {
  await client.create('/blocks');
  const script = [
    'let n = 2',
    'time repeat -i 1ms ${n} txn {',
    '  create -s /blocks/n- ${?}',
    '  set /blocks x',
    '}',
    'multi { check /blocks 2 } | cat',
    'Time Begin { check /blocks 3 } > /dev/null',
    '',
  ].join('\n');
  const { stdout, stderr } = run(['-k'], script);
  assert.deepEqual(stdout.split('\n'), [
    '1\tcreate\t/blocks/n-0000000000\tok\t0',
    '2\tset\t/blocks\tok\t1',
    '1\tcreate\t/blocks/n-0000000001\tok\t0',
    '2\tset\t/blocks\tok\t2',
    '1\tcheck\t/blocks\tok\t',
    '',
  ]);
  assert.match(
    stderr,
    /^took \d\.\d{3}s\ntook \d\.\d{3}s\nstdin:7: error: transaction rolled back.*\n1 of 4 commands failed \(line 7\)\n$/,
  );
  assert.equal((await client.get('/blocks/n-0000000001')).data?.toString(), '0');
});
