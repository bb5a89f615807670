/** Random sessions at a prompt as lists of steps, so that a failing one can be cut. */
import type { Random } from '../../src/base/random.ts';
import { type Opinion, PRINTED, TYPED } from './alphabet.ts';

export type Step =
  /** Bytes from the terminal, one a character, in one chunk. */
  | { readonly type: 'keys'; readonly bytes: string }
  /** Lines from elsewhere. */
  | { readonly type: 'event'; readonly text: string }
  /** 0 and 0: a terminal that does not know its size. */
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }
  /** Answers a Tab that waits: the first, or the last of those; `kind` says with what. */
  | { readonly type: 'answer'; readonly last: boolean; readonly kind: number; readonly count: number }
  | { readonly type: 'tick'; readonly ms: number }
  /** Another prompt, as when the connection is lost. */
  | { readonly type: 'prompt'; readonly text: string }
  /** The terminal is lent to another program for a line. */
  | { readonly type: 'lend' }
  | { readonly type: 'judge' };

export interface Plan {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  readonly hints: boolean;
  readonly suggests: boolean;
  /** What the terminal takes for one character. */
  readonly opinion: Opinion;
  /** Wraps long rows anew when its width changes. */
  readonly reflow: boolean;
  readonly steps: readonly Step[];
}

const PROMPTS = [
  '\x1b[32mlocal:/>\x1b[0m ',
  '\x1b[1;31mprod!:/日本>\x1b[0m ',
  '> ',
  'a:/very/long/path/of/many/parts> ',
];

const KEYS: readonly string[] = [
  ...[
    '\x01',
    '\x05',
    '\x02',
    '\x06',
    '\x04',
    '\x08',
    '\x0b',
    '\x15',
    '\x17',
    '\x19',
    '\x14',
    '\x0c',
    '\x1f',
    '\x18\x15',
  ],
  ...['\x1bb', '\x1bf', '\x1bd', '\x1b\x7f', '\x1by', '\x1b.', '\x1b<', '\x1b>', '\x1b\r', '\x18\x07'],
  ...['\x1b[A', '\x1b[B', '\x1b[C', '\x1b[D', '\x1bOA', '\x1bOB', '\x1bOC', '\x1bOD', '\x1b[H', '\x1b[F', '\x1b[3~'],
  ...['\x1b[1;5C', '\x1b[1;5D', '\x1b[1;3C', '\x1b[1;3D', '\x1b[5~', '\x1b[6~', '\x1b[Z', '\x7f', '\x7f', '\x7f'],
  ...['\r', '\r', '\n', '\x03', '\x07', '\x1a', '\x10', '\x0e', '\x1b\x1b', '\x12', '\x12', '\x13', '\t', '\t', '\t\t'],
  ...['\x1b[I', '\x1b[12;40R', '\x1b[97;5u', '\x1b[200~', '\x1b[201~', '\x00', '\x1b[1;', '\xff', '\xe6\x97'],
];
const MENU_KEYS = [
  '\t',
  '\t',
  '\x1b[Z',
  '\x1b[A',
  '\x1b[B',
  '\x1b[C',
  '\x1b[D',
  '\x1b[5~',
  '\x1b[6~',
  'a',
  '/',
  '\x7f',
  '\x1b\x1b',
];

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)] as T;
const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');

const typed = (random: Random, alphabet: readonly string[]): string => bytesOf(pick(random, alphabet));

function paste(random: Random, alphabet: readonly string[]): string {
  let text = '';
  for (let count = 1 + random.below(12); count > 0; count--)
    text += pick(random, [...alphabet, '\r\n', '\n', '\t', '\x1b[31m', '\x07', '\x1b[A', '\r']);
  return `\x1b[200~${bytesOf(text)}\x1b[201~`;
}

/** What terminals wrap at different places, in a row that is long. */
const PICTURES = ['🇩🇪', '❤️', '1️⃣', '🏳️‍🌈', '👨‍👩‍👧', '👍🏽', '\uff76\uff9e', '日', 'a', ' '];
function pictures(random: Random): string {
  const text = Array.from({ length: 5 + random.below(60) }, () => pick(random, PICTURES)).join('');
  return `\x1b[200~${bytesOf(text)}\x1b[201~`;
}

function burst(random: Random, alphabet: readonly string[]): string {
  let out = '';
  // somebody who types, one who looks around in a menu, one who hits keys
  const mood = random.below(4);
  for (let count = 1 + random.below(6); count > 0; count--) {
    const dice = random.below(20);
    if (dice === 0 && mood < 2) out += paste(random, alphabet);
    else if (mood === 2) out += dice < 14 ? pick(random, MENU_KEYS) : typed(random, alphabet);
    else if (dice < (mood === 0 ? 15 : 8)) out += typed(random, alphabet);
    else out += pick(random, KEYS);
  }
  return out;
}

/** Cut anywhere, also within escape sequences and characters. */
function* chunks(random: Random, bytes: string): Generator<string> {
  const most = pick(random, [1, 3, 9, 1000]);
  for (let at = 0; at < bytes.length; ) {
    const next = at + 1 + random.below(most);
    yield bytes.slice(at, next);
    at = next;
  }
}

function event(random: Random): string {
  const line = (): string => Array.from({ length: 1 + random.below(6) }, () => pick(random, PRINTED)).join('');
  return Array.from({ length: random.below(4) === 0 ? 1 + random.below(4) : 1 }, line).join('\n');
}

function resize(random: Random): Step {
  if (random.below(12) === 0) return { type: 'resize', columns: 0, rows: 0 };
  return {
    type: 'resize',
    columns: 20 + random.below(181),
    rows: random.below(5) === 0 ? 1 + random.below(6) : 5 + random.below(40),
  };
}

function between(random: Random): Step | undefined {
  const dice = random.below(60);
  if (dice < 5) return { type: 'event', text: event(random) };
  if (dice < 8) return resize(random);
  if (dice < 20)
    return { type: 'answer', last: random.below(3) === 0, kind: random.below(10), count: random.below(60) };
  if (dice < 22) return { type: 'tick', ms: 310 };
  if (dice < 26) return { type: 'tick', ms: 60 };
  if (dice < 27) return { type: 'prompt', text: pick(random, PROMPTS) };
  if (dice < 28) return { type: 'lend' };
  return undefined;
}

/** A session of `sequences` bursts of keys; the screen is judged after each. `alphabet`: what is typed, all of it unless said. */
export function plan(random: Random, sequences: number, alphabet: readonly string[] = TYPED): Plan {
  const first = resize(random) as Extract<Step, { type: 'resize' }>;
  const steps: Step[] = [];
  for (let done = 0; done < sequences; done++) {
    for (const bytes of chunks(random, burst(random, alphabet))) {
      steps.push({ type: 'keys', bytes });
      const other = between(random);
      if (other !== undefined) steps.push(other);
    }
    steps.push({ type: 'judge' });
    if (alphabet === TYPED && random.below(12) === 0)
      steps.push({ type: 'keys', bytes: pictures(random) }, resize(random), { type: 'judge' });
  }
  return {
    columns: first.columns,
    rows: first.rows,
    color: random.below(5) > 0,
    hints: random.below(4) > 0,
    suggests: random.below(3) === 0,
    opinion: random.below(2) === 0 ? 'points' : 'clusters',
    reflow: random.below(4) > 0,
    steps,
  };
}
