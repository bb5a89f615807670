import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pragmasOf } from '../../src/cli/pragmas.ts';
import { compatWish } from '../../src/cli/zkcli-argv.ts';
import type { Client, WatchEvent } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { EventFolder } from '../../src/out/events.ts';
import { render } from '../../src/out/render.ts';
import { plainTheme } from '../../src/out/theme.ts';
import { startEmbedded } from '../../src/runtime/embed.ts';
import type { Output } from '../../src/shell/output.ts';
import { Recorder } from '../../src/shell/recorder.ts';
import { rig } from './rig.ts';

const parse = (text: string) => rig().shell.parse(text);

test('txn { } holds operations, over several lines; what is open, glued or piped is said', () => {
  const { pipelines, fault, open } = parse('txn { check /a 3; set /a {"x": 1}\n  delete /b }; ls /');
  assert.deepEqual([fault, open, pipelines.length], [undefined, undefined, 2]);
  assert.deepEqual(
    pipelines[0]?.block?.map(({ words }) => words.length),
    [3, 3, 2],
  );
  assert.equal(parse('txn { set /a x').open?.kind, 'block');
  assert.equal(parse('txn { set /a x').pipelines.length, 1);
  assert.match(parse('txn { ls / | wc }').fault?.message ?? '', /operations only/);
  assert.equal(parse('ls /; txn { a && b }').pipelines.length, 1, 'nothing of a transaction runs on its own');
  assert.match(parse('txn { set /a x } y').fault?.message ?? '', /text after the }/);
  assert.deepEqual(parse('txn { }').pipelines[0]?.block, []);
  assert.equal(parse('set /a { b }').pipelines[0]?.block, undefined);
  assert.equal(parse('set /a }').pipelines[0]?.words.length, 3);
});

test('let takes a word or what a command prints', () => {
  assert.equal(parse('let x = $(get "/a )")').pipelines[0]?.substitution, 'get "/a )"');
  assert.equal(parse('let x = $(get /a').fault?.message, '$( is not closed');
  assert.equal(parse('echo $(get /a)').pipelines[0]?.substitution, undefined);
  assert.match(parse('let x = $(pwd) $(pwd)').fault?.message ?? parse('let x = $(pwd) y').fault?.message ?? '', /./);
});

test('what let names lasts, run has arguments of its own, and a script within a script is told once', async () => {
  const files = new Map([
    ['a.zk', 'echo "${x} ${1} ${#}"\nlet x = inner\n'],
    ['bad.zk', 'echo one\nls relative /../x extra --nope\necho two\n'],
    ['loop.zk', 'run loop.zk\n'],
  ]);
  const it = rig(undefined, { '1': 'outer', '#': '1' }, files);
  assert.equal(await it.shell.run('let x = $(pwd); run a.zk arg more; echo "${x} ${1}"; echo "${_}"'), 0);
  const texts = it.shown.flatMap((output) => (output.type === 'value' ? [output.text] : []));
  assert.deepEqual(texts, ['/ arg 2', 'inner outer', 'inner outer']);
  it.shown.length = 0;
  assert.equal(await it.shell.run('run a.zk b > out.txt; let whole = $(run a.zk c); echo "${whole}"'), 0);
  assert.deepEqual(
    it.shown.flatMap((output) => (output.type === 'value' ? [output.text] : [])),
    ['inner c 1'],
    'what a file of commands prints goes where its line says',
  );
  assert.equal(await it.shell.run('run bad.zk; echo never'), 2);
  assert.equal(it.told.length, 1);
  assert.deepEqual([it.told[0]?.file, it.told[0]?.line], ['bad.zk', 2]);
  assert.equal(await it.shell.run('run loop.zk'), 2);
  assert.match(it.told.at(-1)?.failure.message ?? '', /more than 20 deep/);
  assert.equal(await it.shell.run('echo ${nowhere}'), 2);
});

test('a recorder changes nothing, and reads as if it had', async () => {
  await using server = await startEmbedded({ logLevel: 'error' });
  await using client: Client = await connect(server.connectString);
  await client.create('/a', 'old');
  await client.create('/a/b', null);
  const recorder = new Recorder(client, { checks: true });
  await assert.rejects(recorder.delete('/a'), /has children/);
  await assert.rejects(recorder.create('/none/x'), /does not exist/);
  await assert.rejects(recorder.set('/a', 'x', 7), /version/);
  assert.equal((await recorder.set('/a', 'new', 0)).version, 1);
  assert.equal((await recorder.get('/a')).data?.toString(), 'new');
  await recorder.delete('/a/b');
  await recorder.create('/a/c', 'x');
  assert.deepEqual((await recorder.getChildren('/a')).children, ['c']);
  assert.equal((await recorder.exists('/a'))?.numChildren, 1);
  assert.deepEqual((await recorder.getChildren('/')).children, ['a', 'zookeeper']);
  assert.equal(await recorder.exists('/a/b'), undefined);
  const both = [
    { op: 'set', path: '/a', data: Buffer.from('not'), version: -1 },
    { op: 'delete', path: '/a/c', version: -1 },
    { op: 'create', path: '/a/e', data: null, options: {} },
    { op: 'delete', path: '/none', version: -1 },
  ] as const;
  await assert.rejects(recorder.multi(both), { name: 'MultiError', index: 3, code: 'NoNode' });
  assert.equal((await recorder.get('/a')).data?.toString(), 'new');
  assert.deepEqual((await recorder.getChildren('/a')).children, ['c']);
  await recorder.multi([{ op: 'create', path: '/a/c/d', data: null, options: { mode: 'persistentSequential' } }]);
  assert.deepEqual(
    recorder.take().map(({ kind, path, version }) => [kind, path, version]),
    [
      ['set', '/a', 0],
      ['delete', '/a/b', 0],
      ['create', '/a/c', undefined],
      ['create', '/a/c/d', undefined],
    ],
  );
  assert.equal((await client.get('/a')).data?.toString(), 'old');
  assert.deepEqual((await client.getChildren('/a')).children, ['b']);
});

const SCREEN = { theme: plainTheme(true), width: 80, now: 0 };
const TABLE: Output = {
  type: 'table',
  columns: [{ name: 'path' }, { name: 'count', right: true }],
  rows: [['/a', '1']],
  json: [{ path: '/a', count: 1, stat: { version: 3 } }],
};
const shown = (wishes: object, output: Output = TABLE, width = 80): string =>
  Buffer.from(render(output, { mode: 'plain', isTerminal: false, ...wishes }, { ...SCREEN, width })).toString();

test('a recorder counts what is below a node as if it had changed it', async () => {
  await using server = await startEmbedded({ logLevel: 'error' });
  await using client: Client = await connect(server.connectString);
  for (const path of ['/a', '/a/b', '/a/b/c', '/a/d', '/ab']) await client.create(path, null);
  const recorder = new Recorder(client, { checks: true });
  const count = (path: string): Promise<number> => recorder.getAllChildrenNumber(path);
  assert.deepEqual([await count('/a'), await count('/a/b')], [3, 1]);
  await recorder.delete('/a/b/c');
  await recorder.create('/a/d/e', null);
  await recorder.create('/a/d/e/f', null);
  await recorder.set('/a/d', 'x');
  await recorder.create('/new', null);
  await recorder.create('/new/x', null);
  assert.deepEqual([await count('/a'), await count('/a/b'), await count('/a/d'), await count('/new')], [4, 0, 2, 1]);
  await recorder.create('/a/b/c', null);
  await recorder.delete('/new/x');
  assert.deepEqual([await count('/a'), await count('/new')], [5, 0]);
  await recorder.delete('/new');
  await assert.rejects(count('/new'), { code: 'NoNode' });
  await assert.rejects(count('/none'), { code: 'NoNode' });
  assert.equal(await count('/'), (await client.getAllChildrenNumber('/')) + 2);
});

test('--fields chooses and orders, --header names, -o table draws, narrow screens get blocks', () => {
  assert.equal(shown({ fields: ['count', 'version', 'path'] }), '1\t3\t/a\n');
  assert.equal(shown({ mode: 'json', fields: ['stat.version'] }), '[{"stat.version":3}]\n');
  assert.throws(() => shown({ fields: ['nosuch'] }), /no field nosuch/);
  assert.equal(shown({ header: true }), 'path\tcount\n/a\t1\n');
  assert.match(shown({ mode: 'table' }), /^\+-+\+-+\+\n\| path \| count \|\n/);
  const wide: Output = {
    ...TABLE,
    columns: [{ name: 'path' }, { name: 'count', drop: 1 }],
    rows: [['/long/path', '12345']],
  };
  assert.doesNotMatch(shown({ mode: 'human' }, wide, 14), /12345/);
  assert.match(
    shown({ mode: 'human' }, { ...wide, columns: TABLE.columns }, 12),
    / path +\/long\/path\n count +12345\n/,
  );
});

test('more than twenty events in a second become one line for each watch', () => {
  const lines: string[] = [];
  const folder = new EventFolder(
    (line) => lines.push(line),
    plainTheme(true),
    (path) => path.slice(0, 2),
  );
  const at = 5000;
  for (let n = 0; n < 30; n++) {
    const event: WatchEvent = { type: 'NodeDataChanged', path: n % 2 === 0 ? '/a/x' : '/b', zxid: undefined };
    folder.take({ event, at });
  }
  folder.flush();
  assert.equal(lines.length, 22);
  assert.deepEqual(lines.slice(20), [
    '+5 events under /a (last: NodeDataChanged /a/x)',
    '+5 events (last: NodeDataChanged /b)',
  ]);
});

test('what an event changed goes on below its path where the line has no room for it', () => {
  const lines: string[] = [];
  const data = (text: string) => ({ version: 1, data: Buffer.from(text) });
  const change = { before: data('{"level":"info"}'), after: data('{"level":"a longer word","pool":16}') };
  for (const width of [100, 48]) {
    const folder = new EventFolder(
      (line) => lines.push(...line.split('\n').map((each) => each.replace(/^\d\d:\d\d:\d\d/, '15:04:05'))),
      plainTheme(true),
      undefined,
      () => width,
    );
    folder.take({ event: { type: 'NodeDataChanged', path: '/app/config', zxid: undefined }, at: 5000, change });
  }
  assert.deepEqual(lines, [
    '15:04:05 changed  /app/config v1 -> v1  level: "info" -> "a longer word", pool: (none) -> 16',
    '15:04:05 changed  /app/config',
    '                  v1 -> v1  level: "info" -> "a',
    '                  longer word", pool: (none) ->',
    '                  16',
  ]);
});

test('of two watches over one node each has a line of its own', () => {
  const lines: string[] = [];
  const folder = new EventFolder((line) => lines.push(line), plainTheme(true));
  const event: WatchEvent = { type: 'NodeDataChanged', path: '/a/x', zxid: undefined };
  for (let n = 0; n < 20; n++) folder.take({ event, at: 5000 });
  for (const watch of ['/a', '/a/x', '/a']) folder.take({ event, at: 5000 }, watch);
  folder.flush();
  assert.deepEqual(lines.slice(20), [
    '+2 events under /a (last: NodeDataChanged /a/x)',
    '+1 event (last: NodeDataChanged /a/x)',
  ]);
});

test('what a script says of itself', () => {
  assert.deepEqual(pragmasOf('#!/x\n#: atomic\n# words\n#: output json\nls /\n#: nonsense\n'), {
    atomic: true,
    output: 'json',
  });
  assert.throws(() => pragmasOf('#: atomc\n'), /not a pragma/);
  assert.throws(() => pragmasOf('#: output yaml\n'), /not a pragma/);
});

test('when it is zkCli', () => {
  const wish = (argv: string[], program = '/usr/bin/zoosh', isTerminal = false) =>
    compatWish(program, argv, isTerminal);
  assert.equal(wish(['ls', '/']), undefined);
  assert.equal(wish(['-server', 'a:1'], 'zoosh', true), undefined);
  assert.deepEqual(wish(['-server', 'a:1', '-foo', '-r', 'ls', '-s', '/'])?.words, ['ls', '-s', '/']);
  assert.equal(wish([], '/opt/bin/zkCli.sh')?.version, '3.10');
  assert.deepEqual(
    [wish(['--compat', 'zkcli-exact=3.8'])?.exact, wish(['--compat=zkcli=3.8', 'ls'])?.version],
    [true, '3.8'],
  );
  assert.deepEqual(wish(['--compat', 'zkcli', '--auth', 'digest:a:b', '-server'])?.incomplete, ['-server']);
  assert.throws(() => wish(['--compat', 'redis']), /--compat is zkcli/);
  // a target before or behind --compat, as before any command; without --compat it is a word of zkCli's
  for (const argv of [
    ['a:1', '--compat', 'zkcli', 'ls', '/'],
    ['--compat=zkcli', 'a:1', 'ls', '/'],
  ])
    assert.deepEqual([wish(argv)?.server, wish(argv)?.words], ['a:1', ['ls', '/']]);
  assert.deepEqual(wish(['@prod', '--compat', 'zkcli'])?.ours, ['--profile', 'prod']);
  assert.deepEqual(wish(['--compat', 'zkcli', '-server', 'b:1', 'ls', 'a:1'])?.words, ['ls', 'a:1']);
  assert.deepEqual(wish(['a:1', 'ls'], 'zkCli.sh')?.words, ['a:1', 'ls']);
  assert.equal(wish(['a:1', 'ls', '--compat', 'zkcli']), undefined);
});
