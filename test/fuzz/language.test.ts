/** Random text to the reader of commands; and what is printed, pasted back into a shell on a server in this process. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Acl } from '../../src/client/api.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { type Client, connect } from '../../src/index.ts';
import { toHuman } from '../../src/out/human.ts';
import { plainTheme } from '../../src/out/theme.ts';
import { parseAcl } from '../../src/shell/acl-text.ts';
import { type LexOptions, type Token, tokenize } from '../../src/shell/lexer.ts';
import { isMasked } from '../../src/shell/node-record.ts';
import { type Pipeline, parse } from '../../src/shell/parser.ts';
import { quoteWord } from '../../src/shell/paths.ts';
import { fill } from '../../src/shell/variables.ts';
import { amount } from '../amount.ts';
import { rig } from '../shell/rig.ts';

const seed = Number(process.env.ZOOSH_SEED ?? 20_261_127);
const runs = (whole: number, part: number) => ({ seed, numRuns: amount(whole, part), includeErrorInReport: true });

const PIECES =
  "get set txn let x = create /a /a/b ' \" $' $'\\x41 $'\\ff \\ \\; \\# \\> ; && || | > >> # ! { } { [ ] {\"x\": \"} ${v} ${ ${} ${a b} $( $(pwd) ) << <<END <<+END <<'END' << ' ' <<END' --option= --text='a -1 -- @f @@ * ? é 日本 👍".split(
    ' ',
  );
const line = fc
  .array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc.constantFrom(
          ...PIECES,
          ' ',
          ' ',
          '  ',
          '\n',
          '\r\n',
          '\nEND\n',
          '\t',
          '\\\n',
          '\u0000',
          '\ud83d',
        ),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
    ),
    { maxLength: 14 },
  )
  .chain((parts) => fc.constantFrom(parts.join(''), parts.join(' ')));
const OPTIONS: readonly LexOptions[] = [
  {},
  { expectsData: (words) => words.length === 2 },
  { expectsData: () => true },
];

/** A place is in the text. */
function place({ from, to }: { from: number; to: number }, text: string): void {
  assert.ok(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= text.length);
}

function places(pipelines: readonly Pipeline[], text: string): void {
  for (const pipeline of pipelines) {
    place(pipeline, text);
    for (const word of [...pipeline.words, ...(pipeline.file === undefined ? [] : [pipeline.file.word])])
      place(word, text);
    places(pipeline.block ?? [], text);
  }
}

test('whatever is typed, the lexer gives words in their places, or its own fault with a place', () => {
  const found = { whole: 0, open: 0, fault: 0 };
  fc.assert(
    fc.property(line, fc.constantFrom(...OPTIONS), (text, options) => {
      const { tokens, open, fault } = tokenize(text, options);
      let end = 0;
      for (const token of tokens) {
        place(token, text);
        assert.ok(token.from >= end, 'tokens overlap');
        end = token.to;
      }
      if (fault !== undefined) {
        assert.ok(fault.message !== '');
        place(fault, text);
      }
      if (open !== undefined) place({ from: open.from, to: open.from }, text);
      // between tokens stand blanks and lines that go on, and the bodies of heredocs
      if (fault === undefined && open === undefined && !text.includes('<<'))
        assert.match(between(text, tokens), /^(?:[ \t\r!]|\\\r?\n)*$/);
      found[fault !== undefined ? 'fault' : open !== undefined ? 'open' : 'whole']++;
      const parsed = parse(text, options);
      places(parsed.pipelines, text);
      if (parsed.fault !== undefined) place(parsed.fault, text);
      for (const { words } of parsed.pipelines) for (const word of words) fill(word, () => '');
    }),
    runs(200_000, 15_000),
  );
  console.log(`seed ${seed}: ${JSON.stringify(found)}`);
  assert.ok(
    Object.values(found).every((count) => count > 500),
    'the text is too tame or too wild',
  );
});

const between = (text: string, tokens: readonly Token[]): string => {
  let out = '';
  let end = 0;
  for (const { from, to } of tokens) {
    out += text.slice(end, from);
    end = to;
  }
  return out + text.slice(end);
};

test('words that were quoted are the words again, wherever they stand and whatever stands around them', () => {
  const word = fc.oneof(
    fc.constantFrom(...PIECES),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.string({ unit: 'binary-ascii', maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), fc.constantFrom(...OPTIONS), (words, options) => {
      const { pipelines, fault, open } = parse(`x ${words.map(quoteWord).join(' ')}; y`, options);
      assert.equal(fault ?? open, undefined);
      assert.deepEqual(
        pipelines[0]?.words.slice(1).map((each) => fill(each, () => undefined).text),
        words,
      );
      assert.equal(pipelines.length, 2);
    }),
    runs(50_000, 4_000),
  );
});

let server: EmbeddedServer;
let owner: Client;
let other: Client;
let ownId = '';
const folder = mkdtempSync(join(tmpdir(), 'zoosh-paste-'));
before(async () => {
  server = await startEmbedded();
  owner = await connect(server.connectString);
  other = await connect(server.connectString);
  await owner.addAuth('digest', 'owner:secret');
  await owner.create('/who', null, { acl: [{ scheme: 'auth', id: '', perms: 31 }] });
  ownId = (await owner.getAcl('/who')).acl[0]?.id ?? '';
});
after(async () => {
  await owner.close();
  await other.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** What a person sees of lines, one below the other, and how they ended. */
async function run(client: Client, text: string, width = 80) {
  const it = rig(client);
  const status = await it.shell.run(text);
  const screen = { theme: plainTheme(false), width, now: 0 };
  const lines = it.shown.flatMap((output) => toHuman(output, screen));
  return { status, lines, told: it.told.map(({ failure }) => failure.message).join('\n'), shown: it.shown };
}
const done = async (client: Client, text: string, width?: number) => {
  const ran = await run(client, text, width);
  assert.equal(ran.status, 0, `${text}: ${ran.told}`);
  return ran;
};
const wordsOf = (text: string): string[] => {
  const { pipelines, fault, open } = parse(`x ${text}`);
  assert.equal(fault ?? open, undefined, text);
  assert.equal(pipelines.length, 1, text);
  return pipelines[0]?.words.slice(1).map((each) => fill(each, () => undefined).text) ?? [];
};

const isAllowed = (text: string): boolean =>
  text !== '.' && text !== '..' && !/[\u0000-\u001f/\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/.test(text);
const NAMES = [
  'a b',
  "it's",
  '"',
  '\'"',
  '$',
  '${v}',
  '$(x)',
  '*',
  '?',
  '[a-z]',
  '{a,b}',
  '-R',
  '--',
  '#',
  '!x',
  ';',
  'a;',
  '&&',
  '|',
  '>',
  '<<E',
  '@f',
  '~',
  '\\',
  '\\;',
  ' ',
  'watch',
  '3',
  '日本',
  '\u202eabc',
  '\u2028',
  'e\u0301',
  '\u3000',
  '\u00a0',
  'x=y',
  '{"a":1}',
  "$'a'",
  '%2F',
  '...',
];
const name = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 }).filter(isAllowed),
);
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 8 });
let round = 0;

test('names that ls shows, pasted back, are the same nodes', async () => {
  await fc.assert(
    fc.asyncProperty(names, fc.integer({ min: 20, max: 200 }), async (children, width) => {
      const root = `/ls${round++}`;
      await owner.create(root);
      for (const child of children) await owner.create(`${root}/${child}`, child);
      const sorted = children.toSorted();
      const { lines } = await done(other, `ls ${root}`, width);
      assert.deepEqual(wordsOf(lines.join(' ')).sort(), sorted);
      const long = (await done(other, `ls -l ${root}`, 200)).lines.slice(1);
      assert.equal(long.length, sorted.length);
      const below = (await done(other, `ls -R ${root}`)).lines;
      assert.deepEqual(
        below
          .flatMap(wordsOf)
          .filter((path) => path !== root)
          .sort(),
        sorted.map((child) => `${root}/${child}`),
      );
      // one a row: each is pasted behind a command
      for (const shown of (await done(other, `ls ${root}`, 1)).lines) {
        const [child = ''] = wordsOf(shown);
        const got = (await done(other, `cd ${root}; get ${shown}`)).shown.at(-1);
        assert.ok(got?.type === 'node' && Buffer.from(got.data ?? []).toString() === child, shown);
      }
      for (const path of below.filter((each) => each !== root)) await done(other, `delete ${path}`);
      await owner.delete(root);
    }),
    runs(400, 40),
  );
});

const odd = fc.oneof(
  fc.constantFrom(
    'bob',
    'bob smith',
    "o'hara",
    'a,b',
    'x:r',
    '$x',
    '*',
    '#',
    ';',
    'a;',
    '{',
    '"',
    '日本',
    '\n',
    '\u202e',
    '@x',
    '-x',
    ' ',
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
);
const digest = fc
  .record({
    user: odd,
    hash: fc.oneof(fc.base64String({ minLength: 4, maxLength: 28 }), odd),
    perms: fc.integer({ min: 1, max: 31 }),
  })
  .map(({ user, hash, perms }) => ({
    scheme: 'digest',
    id: `${user.replaceAll(':', '')}:${hash.replaceAll(':', '') || 'h'}`,
    perms,
  }))
  .filter((entry) => !isMasked(entry) && Buffer.from(entry.id).toString() === entry.id);
const ip = fc.record({
  scheme: fc.constant('ip'),
  id: fc.constantFrom('10.0.0.0/8', '127.0.0.1', '2001:db8::1'),
  perms: fc.integer({ min: 1, max: 31 }),
});
const acl = fc.array(fc.oneof(digest, digest, ip), { minLength: 1, maxLength: 4 });

test('an ACL that getAcl shows, pasted back, is the same; without its hashes it is refused, also out of an export', async () => {
  let masked = 0;
  await fc.assert(
    fc.asyncProperty(name, acl, async (child, entries) => {
      const root = `/acl${round++}`;
      const path = `${root}/${child}`;
      const full: Acl[] = [
        { scheme: 'digest', id: ownId, perms: 31 },
        { scheme: 'world', id: 'anyone', perms: 1 },
        ...entries,
      ];
      await owner.create(root);
      await owner.create(path, 'data', { acl: full });
      await owner.create(`${root}-b`);
      const kept = (await owner.getAcl(path)).acl;
      const [line = ''] = (await done(owner, `getAcl ${quoteWord(path)}`)).lines;
      await done(owner, `setAcl ${root}-b ${line}`);
      assert.deepEqual((await owner.getAcl(`${root}-b`)).acl, kept, line);
      const below = (await done(owner, `getAcl -R ${root}`, 100_000)).lines;
      const row = wordsOf(below.at(-1) ?? '');
      assert.deepEqual([row[0], parseAcl(row[1] ?? '')], [path, kept]);
      // whoever lacks ADMIN sees no hash, and cannot write what it saw
      const hidden = (await run(other, `getAcl ${quoteWord(path)}`)).lines;
      const free = `${root}-free`;
      await owner.create(free);
      if ((await other.getAcl(path)).acl.some(isMasked)) {
        masked++;
        assert.match(hidden.join('\n'), /hash hidden/);
        assert.equal((await run(other, `setAcl ${free} ${hidden[0]}`)).status, 15, hidden[0]);
        assert.equal((await owner.getAcl(free)).stat.aversion, 0);
      }
      for (const [client, mayWrite] of [
        [owner, true],
        [other, !(await other.getAcl(path)).acl.some(isMasked)],
      ] as const) {
        const file = join(folder, `e${round}.ndjson`);
        await done(client, `export ${root} ${file}`);
        const nodes = readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .slice(1)
          .map((each) => JSON.parse(each));
        assert.deepEqual(
          nodes.map((each) => each.path),
          [root, path],
        );
        assert.equal(
          nodes.some((each) => each.masked === true),
          !mayWrite,
        );
        const to = `${root}-${mayWrite ? 'a' : 'n'}`;
        assert.equal((await run(client, `import --root ${to} ${file}`)).status, mayWrite ? 0 : 15);
        if (mayWrite) assert.deepEqual((await owner.getAcl(`${to}/${child}`)).acl, kept);
        else await done(client, `import --no-acl --root ${to} ${file}`);
        assert.equal(String((await owner.get(`${to}/${child}`)).data), 'data');
        await done(owner, `deleteall ${to}`);
        rmSync(file);
      }
    }),
    runs(300, 30),
  );
  assert.ok(masked > 0);
});
