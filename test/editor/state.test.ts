import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { KillRing } from '../../src/editor/buffer.ts';
import { COMMANDS } from '../../src/editor/commands.ts';
import { type Key, KeyDecoder } from '../../src/editor/keys.ts';
import { type Effect, LineState } from '../../src/editor/state.ts';
import type { Candidate, Completion } from '../../src/editor/types.ts';
import { lateIf, timely } from '../patience.ts';

const NAMES: Readonly<Record<string, string>> = {
  UP: '\x1b[A',
  DOWN: '\x1b[B',
  RIGHT: '\x1b[C',
  LEFT: '\x1b[D',
  HOME: '\x1b[H',
  END: '\x1b[F',
  DEL: '\x1b[3~',
  ESC: '\x1b\x1b',
  CRIGHT: '\x1b[1;5C',
  MRIGHT: '\x1b[1;3C',
  STAB: '\x1b[Z',
  TAB: '\t',
  ENTER: '\r',
  BS: '\x7f',
  PGDN: '\x1b[6~',
};

/** A line whose keys are written as `abc {LEFT}{C-a}{M-b}`. `|` in what it shows is the cursor. */
class Typist {
  readonly line: LineState;
  effects: Effect[] = [];
  constructor(options: { history?: readonly string[]; plain?: boolean; kills?: KillRing } = {}) {
    const { history = [], plain = false, kills = new KillRing() } = options;
    this.line = new LineState(
      {
        isComplete: (text) => !text.endsWith('\\') && (text.match(/"/g) ?? []).length % 2 === 0,
        history: { lines: () => history, add: () => {} },
        plain,
        hints: true,
      },
      kills,
    );
  }

  keys(text: string): this {
    for (const part of text.split(/(\{[^}]+\})/)) {
      if (part === '') continue;
      const name = /^\{(.+)\}$/.exec(part)?.[1];
      let bytes = part;
      if (name?.startsWith('C-')) bytes = String.fromCharCode(name.charCodeAt(2) & 31);
      else if (name?.startsWith('M-')) bytes = `\x1b${NAMES[name.slice(2)] ?? name.slice(2)}`;
      else if (name !== undefined) bytes = NAMES[name] ?? assert.fail(`no key ${name}`);
      const decoder = new KeyDecoder();
      const chunks = name === undefined ? [...bytes] : [bytes]; // text comes one character at a time
      const keys: Key[] = [...chunks.flatMap((chunk) => decoder.feed(Buffer.from(chunk))), ...decoder.flush()];
      for (const key of keys) this.effects.push(...this.line.press(key));
    }
    return this;
  }

  paste(text: string): this {
    this.effects.push(...this.line.press({ type: 'paste', text }));
    return this;
  }

  /** Answers the question asked last. */
  answer(candidates: readonly (Candidate | string)[], message?: string): this {
    const question = this.effects.findLast((effect) => effect.type === 'complete');
    assert.ok(question?.type === 'complete');
    const from = question.text.lastIndexOf(' ', question.cursor - 1) + 1;
    const completion: Completion = {
      from,
      to: question.cursor,
      candidates: candidates.map((one) => (typeof one === 'string' ? { text: one } : one)),
      ...(message !== undefined && { message }),
    };
    const effects = this.line.answer(question.id, completion);
    this.dropped = effects === undefined;
    this.effects.push(...(effects ?? []));
    return this;
  }
  dropped = false;

  get shows(): string {
    return `${this.line.text.slice(0, this.line.cursor)}|${this.line.text.slice(this.line.cursor)}`;
  }
  get menu(): string {
    const { menu } = this.line;
    return menu === undefined
      ? 'none'
      : menu.shown.map((one, i) => (i === menu.selected ? `[${one.text}]` : one.text)).join(' ');
  }
  last(): Effect | undefined {
    return this.effects.at(-1);
  }
  count(type: Effect['type']): number {
    return this.effects.filter((effect) => effect.type === type).length;
  }
}
const typist = (options?: ConstructorParameters<typeof Typist>[0]): Typist => new Typist(options);

test('moving, cutting and putting back, as in readline', () => {
  const table: readonly (readonly [string, string])[] = [
    ['abc{LEFT}{LEFT}x', 'ax|bc'],
    ['abc{C-a}x{C-e}y', 'xabcy|'],
    ['abc{HOME}{DEL}{END}{BS}', 'b|'],
    ['abc{C-a}{C-d}{C-f}{C-h}', '|c'],
    ['get /a/bc{M-b}{M-b}', 'get /|a/bc'],
    ['get /a/bc{C-a}{M-f}{CRIGHT}', 'get /a|/bc'],
    ['one two three{C-w}{C-w}{C-y}', 'one two three|'],
    ['get /a/bc{C-w}', 'get |'],
    ['abc def{C-a}{C-k}{C-y}{C-y}', 'abc defabc def|'],
    ['abc def{LEFT}{LEFT}{C-u}', '|ef'],
    ['one two{C-a}{M-d}{M-d}{C-y}', 'one two|'],
    ['a b{C-w}{C-a}{C-k}{C-y}{M-y}', 'b|'],
    ['ab{C-t}', 'ba|'],
    ['abc{C-a}{C-f}{C-t}', 'ba|c'],
    ['日本{LEFT}x{BS}{BS}', '|本'],
    ['e\u0301x{LEFT}{BS}', '|x'],
    ['foo bar{C-_}', 'foo |'],
    ['foo bar{C-_}{C-_}{C-_}{C-_}', '|'],
    ['foo{C-a}{C-k}{C-_}', '|foo'],
    ['foo{C-x}{C-u}', '|'],
    ['"a{ENTER}bc{C-a}{UP}{C-e}', '"a|\nbc'],
    ['"abc{ENTER}d{UP}', '"|abc\nd'],
    ['"abc{ENTER}de{C-u}{C-u}', '"abc|'],
    ['"abc{ENTER}de{UP}{LEFT}{C-k}{C-k}', '"|de'],
    ['abc\x1b\rd', 'abc\nd|'],
  ];
  for (const [keys, shows] of table) assert.equal(typist().keys(keys).shows, shows, keys);
});

test('the kill ring lives longer than a line', () => {
  const kills = new KillRing();
  typist({ kills }).keys('secret words{C-u}');
  assert.equal(typist({ kills }).keys('x{C-y}').shows, 'xsecret words|');
});

test('enter ends a whole line and goes on with one that is not', () => {
  const one = typist().keys('set /a "x{ENTER}');
  assert.equal(one.count('submit'), 0);
  one.keys('y"{C-a}{ENTER}');
  assert.deepEqual(one.last(), { type: 'submit', text: 'set /a "x\ny"' });
});

test('C-c, C-d, C-z, C-l and C-x C-e are for the world', () => {
  assert.deepEqual(typist().keys('ab{C-c}').last(), { type: 'interrupt', again: false });
  assert.deepEqual(typist().keys('{C-c}').last(), { type: 'interrupt', again: true });
  assert.deepEqual(typist().keys('{C-d}').last(), { type: 'eof' });
  assert.equal(typist().keys('a{C-d}').count('eof'), 0);
  assert.deepEqual(
    typist()
      .keys('{C-z}{C-l}{C-x}{C-e}')
      .effects.map((effect) => effect.type),
    ['suspend', 'clear', 'external'],
  );
  assert.equal(typist().keys('a{C-x}q').shows, 'a|');
});

test('a paste goes in as it is', () => {
  const one = typist().keys('a').paste('b\tc\nd');
  assert.equal(one.shows, 'ab\tc\nd|');
  assert.deepEqual(one.effects, []);
  assert.equal(one.keys('{C-_}').shows, 'a|');
});

const HISTORY = ['get /a', 'ls /', 'get /b', 'get /b', 'set /c "two words"'];

test('up and down go through the lines that begin with what was typed', () => {
  const history = HISTORY;
  assert.equal(typist({ history }).keys('{UP}{UP}{UP}').shows, 'ls /|');
  assert.equal(typist({ history }).keys('ge{UP}').shows, 'get /b|');
  assert.equal(typist({ history }).keys('ge{UP}{UP}').shows, 'get /a|');
  assert.equal(typist({ history }).keys('ge{UP}{UP}{UP}{UP}').shows, 'get /a|');
  assert.equal(typist({ history }).keys('ge{UP}{UP}{DOWN}').shows, 'get /b|');
  assert.equal(typist({ history }).keys('ge{UP}{UP}{DOWN}{DOWN}{DOWN}').shows, 'ge|');
  // a changed line begins anew
  assert.equal(typist({ history }).keys('{UP}{C-u}l{UP}').shows, 'ls /|');
  assert.equal(typist({ history: ['ls', '"a\nb"', 'x'] }).keys('{UP}{UP}{UP}').shows, 'ls|');
});

test('M-. takes the last word of the line before, again of the one before that', () => {
  const history = HISTORY;
  assert.equal(typist({ history }).keys('x {M-.}').shows, 'x words"|');
  assert.equal(typist({ history }).keys('x {M-.}{M-.}{M-.}{M-.}').shows, 'x /|');
  assert.equal(typist({ history }).keys('x {M-.}{M-.}{M-.}{M-.}{M-.}{M-.}{M-.}').shows, 'x /a|');
  assert.equal(typist({ history }).keys('x {M-.}y{M-.}').shows, 'x words"ywords"|');
  assert.equal(typist().keys('x{M-.}').shows, 'x|');
});

test('C-r searches while typing', () => {
  const history = HISTORY;
  const one = typist({ history }).keys('typed{C-u}{C-r}get');
  assert.deepEqual(one.line.search?.matches, ['get /b', 'get /a']);
  assert.equal(one.keys('{C-r}').line.search?.current, 'get /a');
  assert.equal(one.keys('{C-r}').line.search?.current, 'get /a');
  assert.equal(one.keys('{BS}{BS}{BS}SET').line.search?.current, undefined);
  assert.equal(one.keys('{BS}{BS}{BS}set').line.search?.current, 'set /c "two words"');
  assert.deepEqual(one.keys('{ENTER}').last(), { type: 'submit', text: 'set /c "two words"' });
  assert.equal(typist({ history }).keys('{C-r}get{ESC}').shows, '|');
  assert.equal(typist({ history }).keys('{C-r}/c{END}!').shows, 'set /c "two words"!|');
  assert.deepEqual(typist({ history }).keys('{C-r}ls{C-c}').last(), { type: 'interrupt', again: true });
});

test('the ghost is the newest line that goes on, and is accepted at the end only', () => {
  const history = HISTORY;
  assert.equal(typist({ history }).keys('g').line.ghost, 'et /b');
  assert.equal(typist({ history }).keys('g{LEFT}').line.ghost, '');
  assert.equal(typist({ history }).keys('').line.ghost, '');
  assert.equal(typist({ history }).keys('g{RIGHT}').shows, 'get /b|');
  assert.equal(typist({ history }).keys('g{LEFT}{RIGHT}').shows, 'g|');
  assert.equal(typist({ history }).keys('s{MRIGHT}').shows, 'set|');
  assert.equal(typist({ history }).keys('s{MRIGHT}{MRIGHT}{MRIGHT}').shows, 'set /c|');
  assert.equal(typist({ history }).keys('s{C-e}').shows, 'set /c "two words"|');
});

test('a lone candidate goes in with a blank, an open one without', () => {
  assert.equal(typist().keys('ge{TAB}').answer(['get', 'set']).shows, 'get |');
  assert.equal(
    typist()
      .keys('ls /a{TAB}')
      .answer([{ text: '/app/', open: true }]).shows,
    'ls /app/|',
  );
  assert.equal(typist().keys('ge /x{C-a}{RIGHT}{RIGHT}{TAB}').answer(['get']).shows, 'get |/x');
  // another case, other letters between, or only the host knows why
  assert.equal(typist().keys('geta{TAB}').answer(['getAcl', 'get']).shows, 'getAcl |');
  assert.equal(typist().keys('gac{TAB}').answer(['getAcl', 'set']).shows, 'getAcl |');
  assert.equal(typist().keys('ls /my{TAB}').answer(["'/my node'"]).shows, "ls '/my node' |");
});

test('what is shared goes in, and a menu opens', () => {
  const one = typist().keys('get /w{TAB}').answer(['/worker-a', '/worker-b', '/other']);
  assert.equal(one.shows, 'get /worker-|');
  assert.equal(one.menu, '/worker-a /worker-b');
  assert.equal(one.keys('{TAB}').menu, '[/worker-a] /worker-b');
  assert.equal(one.keys('{TAB}').menu, '/worker-a [/worker-b]');
  assert.equal(one.keys('{TAB}').menu, '[/worker-a] /worker-b');
  assert.equal(one.keys('{STAB}').menu, '/worker-a [/worker-b]');
  assert.equal(one.keys('{ENTER}').shows, 'get /worker-b |');
  assert.equal(one.menu, 'none');
  assert.equal(one.count('submit'), 0);
});

test('in the menu typing filters, slash goes down, escape restores, enter on a whole name ends the line', () => {
  const open = (): Typist => typist().keys('get /w{TAB}').answer(['/worker-a', '/worker-b', '/worker-bb', '/worker-c']);
  assert.equal(open().keys('b').menu, '[/worker-b] /worker-bb');
  assert.equal(open().keys('b{BS}').menu, '[/worker-a] /worker-b /worker-bb /worker-c');
  assert.equal(open().keys('bx').menu, 'none');
  assert.equal(open().keys('bx').shows, 'get /worker-bx|');
  assert.equal(open().keys('{TAB}/').shows, 'get /worker-a/|');
  assert.equal(open().keys('bb{ESC}').shows, 'get /w|');
  assert.equal(open().keys('b{C-g}').menu, 'none');
  assert.deepEqual(open().keys('bb{ENTER}').last(), { type: 'submit', text: 'get /worker-bb' });
  assert.deepEqual(open().keys('{ENTER}').last(), { type: 'submit', text: 'get /worker-' });
  assert.deepEqual(open().keys('{TAB}{C-c}').last(), { type: 'interrupt', again: false });
  assert.equal(open().keys('{C-a}').shows, '|get /worker-');
  assert.equal(open().paste('\n').menu, 'none');
  const mixed = typist().keys('get /a/{TAB}').answer(['/a/config', "'/a/with space'", "$'/a/tab\\t'"]);
  assert.deepEqual([mixed.shows, mixed.menu], ['get /a/|', "/a/config '/a/with space' $'/a/tab\\t'"]);
  assert.equal(mixed.keys('wi').menu, "['/a/with space']");
  const quoted = typist().keys('get {TAB}').answer(["'/a b'", "'/a c'"]);
  assert.equal(quoted.keys('{TAB}/').shows, "get '/a b/|");
});

test('arrows move in the grid', () => {
  const many = Array.from({ length: 50 }, (_, i) => `n${String(i).padStart(2, '0')}`);
  const one = typist();
  one.line.columns = 40; // six columns of three and the gaps
  one.keys('{TAB}').answer(many);
  const selected = (): number => one.line.menu?.selected ?? -2;
  assert.equal(selected(), -1);
  const grid = one.line.menu?.grid(40);
  assert.deepEqual(grid, { label: 3, columns: 5, rows: 10 });
  for (const [key, at] of [
    ['DOWN', 0],
    ['DOWN', 5],
    ['RIGHT', 6],
    ['UP', 1],
    ['UP', 46],
    ['DOWN', 1],
    ['LEFT', 0],
    ['LEFT', 49],
    ['PGDN', 49],
  ] as const)
    assert.equal(one.keys(`{${key}}`) && selected(), at, key);
});

test('an answer for a line that has changed is dropped', () => {
  for (const keys of ['x', '{LEFT}', '{BS}', '{ENTER}', '{C-c}', '{ESC}', 'x{BS}']) {
    const one = typist().keys('get /w{TAB}').keys(keys);
    const { text } = one.line;
    one.answer(['/worker-a', '/worker-b']);
    assert.equal(one.dropped, true, keys);
    assert.equal(one.line.text, text);
    assert.equal(one.menu, 'none');
  }
});

test('an answer to an earlier question is not one to the present', () => {
  const one = typist().keys('get /w{TAB}x{BS}{TAB}');
  const [first, second] = one.effects;
  assert.ok(first?.type === 'complete' && second?.type === 'complete');
  const completion = { from: 4, to: 6, candidates: [{ text: '/worker' }] };
  assert.equal(one.line.answer(first.id, completion), undefined);
  assert.equal(one.shows, 'get /w|');
  assert.deepEqual(one.line.answer(second.id, completion), []);
  assert.equal(one.shows, 'get /worker |');
});

test('C-d on an empty further row gives up what was begun', () => {
  const one = typist().keys('"abc{ENTER}{C-d}');
  assert.deepEqual(one.last(), { type: 'interrupt', again: false });
  const other = typist().keys('"abc{ENTER}d{LEFT}{C-d}');
  assert.equal(other.shows, '"abc\n|');
});

test('a guess is shown before it is taken: with one more Tab', () => {
  const guess = { from: 4, to: 7, candidates: [{ text: "'/star*'" }], isGuess: true };
  const ask = (plain: boolean): Typist => {
    const one = typist({ plain }).keys('get /ta{TAB}');
    const question = one.last();
    assert.ok(question?.type === 'complete');
    one.line.answer(question.id, guess);
    assert.equal(one.shows, 'get /ta|');
    return one;
  };
  const one = ask(false);
  assert.equal(one.menu, "'/star*'");
  assert.equal(one.keys('{TAB}').shows, "get '/star*' |");
  const other = ask(false).keys('{ENTER}');
  assert.deepEqual(other.last(), { type: 'submit', text: 'get /ta' });
  const plain = ask(true).keys('{TAB}');
  const question = plain.last();
  assert.ok(question?.type === 'complete' && question.again);
  plain.line.answer(question.id, guess);
  assert.equal(plain.shows, "get '/star*' |");
});

test('a word in other quotes goes on from what was typed', () => {
  const one = typist().keys("get '/q{TAB}");
  const question = one.last();
  assert.ok(question?.type === 'complete');
  const candidates = [{ text: "'/qa'" }, { text: `"/q'd"` }];
  one.line.answer(question.id, { from: 4, to: 7, candidates });
  assert.equal(one.menu, `'/qa' "/q'd"`);
});

test('a late answer says so, and still counts', () => {
  const one = typist().keys('get /w{TAB}');
  const question = one.last();
  assert.ok(question?.type === 'complete');
  assert.equal(one.line.waiting, false);
  assert.equal(one.line.late(question.id + 1), false);
  assert.equal(one.line.late(question.id), true);
  assert.equal(one.line.waiting, true);
  assert.equal(one.answer(['/worker']).shows, 'get /worker |');
  assert.equal(one.line.waiting, false);
});

test('a second Tab is known as such: it is asked about in other words', () => {
  const asked = (one: Typist): boolean[] =>
    one.effects.flatMap((effect) => (effect.type === 'complete' ? [effect.again] : []));
  const one = typist().keys('ls /huge/{TAB}');
  assert.deepEqual(asked(one.keys('{TAB}')), [false]); // the first is not answered yet
  assert.equal(one.answer([], '121,402 children').line.message, '121,402 children');
  assert.deepEqual(asked(one.keys('{TAB}')), [false, true]);
  one.answer([], 'no');
  assert.equal(one.keys('x').line.message, undefined);
  assert.deepEqual(asked(one.keys('{TAB}')), [false, true, false]);
});

test('a plain terminal gets a list, once, when Tab adds nothing', () => {
  const one = typist({ plain: true }).keys('get /w{TAB}').answer(['/worker-a', '/worker-b']);
  assert.equal(one.shows, 'get /worker-|');
  assert.equal(one.count('list'), 0);
  one.keys('{TAB}').answer(['/worker-a', '/worker-b']);
  assert.deepEqual(one.last(), { type: 'list', labels: ['/worker-a', '/worker-b'] });
  assert.equal(one.menu, 'none');
});

test('half a character is never inserted as the shared part', () => {
  assert.equal(typist().keys('{TAB}').answer(['a👍', 'a👎']).shows, 'a|');
});

test('fifty thousand candidates filter at the speed of typing', async () => {
  const many = Array.from({ length: 50_000 }, (_, i) => `/big/node-${i}`);
  await timely(() => {
    const one = typist().keys('ls /big/{TAB}').answer(many);
    const start = process.cpuUsage();
    one.keys('1').keys('2').keys('3').keys('4').keys('5');
    one.line.menu?.grid(80);
    const { user } = process.cpuUsage(start);
    assert.equal(one.menu, '[/big/node-12345]');
    return lateIf(user >= 1e6, `five keys took ${user / 1e6} s`);
  });
});

test('no keys in any order break the line', () => {
  const random = seededRandom(3);
  const names = [...Object.keys(COMMANDS).filter((name) => !name.includes(' ')), 'Escape', 'S-Tab', 'PageDown', 'F1'];
  const texts = ['a', ' ', '/', '日', 'e\u0301', '👍', '"', '\\', 'get'];
  for (let round = 0; round < 300; round++) {
    const one = typist({ history: HISTORY, plain: round % 5 === 0 });
    for (let step = 0; step < 80; step++) {
      const dice = random.below(10);
      const key: Key =
        dice < 4
          ? { type: 'text', text: texts[random.below(texts.length)] as string }
          : dice === 4
            ? { type: 'paste', text: 'p\tq\nr' }
            : { type: 'key', name: names[random.below(names.length)] as string };
      const effects = one.line.press(key);
      one.effects.push(...effects);
      if (one.count('complete') > 0 && random.below(2) === 0)
        one.answer(random.below(3) === 0 ? [] : ['/wa', '/wb', 'get'].slice(random.below(3)), 'why');
      const { text, cursor, menu } = one.line;
      assert.ok(cursor >= 0 && cursor <= text.length);
      // never between the halves of a character
      assert.doesNotMatch(text.slice(cursor), /^[\udc00-\udfff]/);
      if (menu !== undefined) assert.ok(menu.shown.length > 0 && menu.selected < menu.shown.length);
    }
  }
});
