import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textWidth } from '../../src/base/width.ts';
import { progressText } from '../../src/cli/progress.ts';
import { percentiles } from '../../src/commands/latency.ts';
import { share } from '../../src/commands/quota.ts';
import { NO_QUOTA } from '../../src/commands/quota-text.ts';
import { differencesLines } from '../../src/out/differences.ts';
import { toHuman } from '../../src/out/human.ts';
import { render as renderAs } from '../../src/out/render.ts';
import { plainTheme } from '../../src/out/theme.ts';
import { EventRing } from '../../src/shell/event-ring.ts';
import { compactJson, prettyJson } from '../../src/shell/json-text.ts';
import { connectionsIn, memberOf, statusIn } from '../../src/shell/members.ts';
import type { Difference, Output } from '../../src/shell/output.ts';
import { diffLines, hunks } from '../../src/shell/text-diff.ts';

const render = (
  output: Output,
  mode: 'json' | 'ndjson',
  on: Parameters<typeof renderAs>[2],
  isTerminal: boolean,
): Uint8Array => renderAs(output, { mode, isTerminal }, on);
const screen = { theme: plainTheme(true), width: 80, now: 0 };

test('the parts of a long answer make one document of JSON', () => {
  const parts = (total: number, size: number, isTerminal: boolean): string => {
    const names = Array.from({ length: total }, (_, at) => `/n"${at}`);
    let text = '';
    let begun = false;
    for (let at = 0; at < total; at += size) {
      const part = begun ? 'next' : 'first';
      text += render(
        { type: 'listing', path: '/', names: names.slice(at, at + size), part },
        'json',
        screen,
        isTerminal,
      );
      begun = true;
    }
    return text + render({ type: 'listing', path: '/', names: [], part: 'last' }, 'json', screen, isTerminal);
  };
  for (const isTerminal of [true, false])
    for (const [total, size] of [
      [1, 1],
      [5, 2],
      [4, 2],
    ] as const) {
      const names = Array.from({ length: total }, (_, at) => `/n"${at}`);
      const whole = render({ type: 'listing', path: '/', names }, 'json', screen, isTerminal).toString();
      assert.equal(parts(total, size, isTerminal), whole);
    }
  const one = { sign: '+', path: '/a', after: null, notes: [] } as const;
  const first: Output = { type: 'differences', differences: [one], part: 'first' };
  const last: Output = { type: 'differences', differences: [one], part: 'last', counts: { equal: false, same: 3 } };
  for (const isTerminal of [true, false]) {
    const text = [first, last].map((each) => render(each, 'json', screen, isTerminal).toString()).join('');
    const whole: Output = { type: 'differences', differences: [one, one], counts: { equal: false, same: 3 } };
    assert.equal(text, render(whole, 'json', screen, isTerminal).toString());
    assert.equal(JSON.parse(text).differences.length, 2);
  }
  const lines = render(last, 'ndjson', screen, false).toString().trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => Object.keys(JSON.parse(line))[0]),
    ['change', 'equal'],
  );
});

test('texts are compared line by line', () => {
  const diff = (a: string, b: string): string =>
    diffLines(a.split(' '), b.split(' '))
      .map(({ sign, text }) => (sign === ' ' ? text : sign + text))
      .join(' ');
  assert.equal(diff('a b c', 'a x c'), 'a -b +x c');
  assert.equal(diff('a b c d', 'b c e d'), '-a b c +e d');
  assert.equal(diff('a', 'a'), 'a');
  const lines = hunks(diffLines([...'abcdefghij'], [...'abcdeXghij']), 1);
  assert.deepEqual(
    lines.map((line) => (line === undefined ? '...' : line.sign + line.text)),
    ['...', ' e', '-f', '+X', ' g', '...'],
  );
});

test('differences are told in the width there is', () => {
  const change = {
    sign: '~',
    path: '/app/level',
    version: 7,
    before: Buffer.from('"info"'),
    after: Buffer.from('"warn"'),
  } as const;
  assert.deepEqual(differencesLines([change], screen), [` ~ /app/level  v7           '"info"' -> '"warn"'`]);
  for (const line of differencesLines([{ ...change, path: `/${'x'.repeat(30)}` }], { ...screen, width: 40 }))
    assert.ok(line.length <= 40, line);
  const text = differencesLines(
    [{ sign: '~', path: '/t', before: Buffer.from('a\nb\n'), after: Buffer.from('a\nc\n') }],
    screen,
  );
  assert.deepEqual(text, [' ~ /t', '     a', '   - b', '   + c', '     ']);
  // those of one plan stand in one column, as long as it is not too far to the right
  const long = { sign: '+', path: `/${'n'.repeat(28)}`, after: Buffer.from('x') } as const;
  const columns = differencesLines([change, long, { ...long, path: '/s' }], screen).map((line) => line.search(/['"]/));
  assert.deepEqual(columns, [34, 34, 34]);
  // nothing of a node drives the terminal
  const evil = differencesLines([{ sign: '+', path: '/e', after: Buffer.from('\x1b[2J') }], screen).join('');
  assert.ok(!evil.includes('\x1b'));
});

test('a plan tells the mode of a node and its ACL apart', () => {
  const told = (note: string): string[] => {
    const change = { kind: 'create', path: '/n', after: Buffer.from('x'), note } as const;
    return toHuman({ type: 'plan', changes: [change], summary: '' }, screen).slice(1, -1);
  };
  assert.deepEqual(told('persistentSequential'), ['     persistentSequential']);
  assert.deepEqual(told('ephemeral world:anyone:r'), ['     ephemeral', '     acl world:anyone:r']);
  assert.deepEqual(told('ttlSequential auth::cdrwa'), ['     ttlSequential', '     acl auth::cdrwa']);
  assert.deepEqual(told('x509:CN=a b:r'), ['     acl x509:CN=a b:r']);
  assert.deepEqual(told('world:anyone:cdrwa'), []);
});

test('members, their words and connections are read', () => {
  assert.deepEqual(memberOf('server.1=zk1:2888:3888:participant;0.0.0.0:2181')?.server, { host: 'zk1', port: 2181 });
  assert.deepEqual(memberOf('server.2=[::1]:2888:3888:observer;[::]:2182'), {
    id: '2',
    server: { host: '::1', port: 2182 },
    isObserver: true,
  });
  assert.deepEqual(memberOf('server.3=a:1:2;10.0.0.3:2183')?.server, { host: '10.0.0.3', port: 2183 });
  assert.equal(memberOf('server.4=a:1:2:participant'), undefined);
  assert.equal(memberOf('version=0'), undefined);
  const srvr =
    'Zookeeper version: 3.8.0-5a02, built on x\nLatency min/avg/max: 0/0.5/20\nReceived: 10\nSent: 9\nConnections: 2\nOutstanding: 0\nZxid: 0x500000001\nMode: leader\nNode count: 7\n';
  const status = statusIn(srvr, 'zk_version\t3.8\nzk_uptime\t5000\nzk_watch_count\t3\n');
  assert.deepEqual(
    [status.role, status.version, status.zxid, status.latency?.average, status.nodes, status.uptimeMs, status.watches],
    ['leader', '3.8.0', 0x500000001n, 0.5, 7, 5000, 3],
  );
  const cons =
    ' /127.0.0.1:51514[1](queued=0,recved=5,sent=5,sid=0x10000123abc,lop=PING,est=1690000000000,to=30000)\n /127.0.0.1:4[0](queued=0,recved=1,sent=0)\n';
  assert.deepEqual(connectionsIn(cons, 's'), [
    { client: '127.0.0.1:51514', session: 0x10000123abcn, timeoutMs: 30000, since: 1690000000000, server: 's' },
  ]);
});

test('small sums', () => {
  assert.equal(
    progressText('exporting /app', 12400, 48112, 1400),
    'exporting /app  12,400/48,112 nodes  25%  8,857/s  ETA 5s',
  );
  assert.equal(progressText('x', 5, undefined, 1000), 'x  5 nodes  5/s');
  assert.deepEqual(percentiles(Array.from({ length: 100 }, (_, at) => at + 1)), {
    p50: 50,
    p95: 95,
    p99: 99,
    max: 100,
  });
  assert.equal(share({ ...NO_QUOTA, count: 9, bytes: 50 }, { ...NO_QUOTA, count: 10, hardBytes: 100 }), '90%');
  assert.equal(share(NO_QUOTA, NO_QUOTA), '-');
  assert.equal(prettyJson('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(prettyJson('{"a": 1}'), undefined);
  assert.equal(prettyJson('{"a":1e400}'), undefined);
  assert.equal(compactJson('{\n "a": [1, "x y"]\n}'), '{"a":[1,"x y"]}');
  assert.equal(compactJson('nope'), undefined);
});

test('events: the latest are kept, and the next one wakes who waits', async () => {
  const ring = new EventRing(10);
  const event = (path: string) => ({ type: 'NodeCreated' as const, path, zxid: undefined });
  for (let at = 0; at < 100; at++) ring.add(event(`/${at}`), at);
  assert.deepEqual([ring.list().length, ring.list().at(-1)?.event.path, ring.total], [10, '/99', 100]);
  const abort = new AbortController();
  const woken = ring.next(abort.signal);
  ring.add(event('/x'), 1);
  await woken;
  const given = ring.next(abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(given, /enough/);
  ring.clear();
  assert.equal(ring.list().length, 0);
});

test('paths in quotes stand in the same column as others', () => {
  const difference = (path: string): Difference => ({
    sign: '-',
    path,
    version: 0,
    before: Buffer.from('x'),
    notes: [],
  });
  const paths = ['/u/a', '/u/my node', '/services/billing/eu-west-1/my own node'];
  const lines = differencesLines(paths.map(difference), { theme: plainTheme(true), width: 80, now: 0 });
  assert.equal(new Set(lines.map((line) => line.indexOf('"x"'))).size, 1, lines.join('\n'));
  const narrow = differencesLines(paths.map(difference), { theme: plainTheme(true), width: 48, now: 0 });
  assert.ok(narrow.every((line) => textWidth(line) <= 48));
});
