/** The tests of `find`: what each option asks of a node. */
import { nameOf } from '../base/path.ts';
import type { Stat } from '../client/api.ts';
import { usage } from '../shell/failure.ts';
import { matcher } from '../shell/glob.ts';
import { parseDuration } from '../shell/units.ts';

type NameOption = 'name' | 'iname' | 'regex' | 'whole';

export function nameTests({ name, iname, regex, whole }: Readonly<Record<NameOption, string | undefined>>) {
  const tests: ((path: string) => boolean)[] = [];
  if (name !== undefined) tests.push(onName(matcher(name)));
  if (iname !== undefined) {
    const matches = matcher(iname.toLowerCase());
    tests.push((path) => matches(nameOf(path).toLowerCase()));
  }
  if (whole !== undefined) tests.push(matcher(whole)); // as find(1): * goes over slashes, too
  if (regex !== undefined) {
    const expression = expressionOf(regex);
    tests.push((path) => expression.test(path));
  }
  return tests;
}
const onName =
  (matches: (name: string) => boolean) =>
  (path: string): boolean =>
    matches(nameOf(path));

function expressionOf(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw usage(`find: -regex: ${(error as Error).message}`);
  }
}

interface StatWishes {
  readonly size: string | undefined;
  readonly children: string | undefined;
  readonly version: string | undefined;
  readonly mtime: string | undefined;
  readonly ctime: string | undefined;
  readonly owner: string | undefined;
  readonly ephemeral: boolean;
  readonly persistent: boolean;
  readonly empty: boolean;
  readonly leaf: boolean;
}

export function statTests(wishes: StatWishes, now: number): ((stat: Stat) => boolean)[] {
  const tests: ((stat: Stat) => boolean)[] = [];
  const { size, children, version, owner } = wishes;
  const add = (option: string, text: string | undefined, of: (stat: Stat) => number): void => {
    if (text === undefined) return;
    const fits = comparison(option, text);
    tests.push((stat) => fits(of(stat)));
  };
  add('-size', size, (stat) => stat.dataLength);
  add('-children', children, (stat) => stat.numChildren);
  add('-version', version, (stat) => stat.version);
  for (const field of ['mtime', 'ctime'] as const) {
    const text = wishes[field];
    if (text === undefined) continue;
    const sign = /^[+-]/.exec(text)?.[0];
    if (sign === undefined) throw usage(`find: -${field} is -AGE (within) or +AGE (longer ago), for example -1h`);
    const age = parseDuration(text.slice(1), `find: -${field}`);
    tests.push((stat) => (sign === '-' ? now - stat[field] <= age : now - stat[field] > age));
  }
  if (owner !== undefined) {
    if (!/^0x[0-9a-fA-F]{1,16}$/.test(owner))
      throw usage(`find: -owner is a session id, 0x and hexadecimal digits, not ${owner}`);
    const id = BigInt(owner);
    tests.push((stat) => BigInt.asUintN(64, stat.ephemeralOwner) === id);
  }
  if (wishes.ephemeral) tests.push((stat) => stat.ephemeralOwner !== 0n);
  if (wishes.persistent) tests.push((stat) => stat.ephemeralOwner === 0n);
  if (wishes.empty) tests.push((stat) => stat.dataLength === 0);
  if (wishes.leaf) tests.push((stat) => stat.numChildren === 0);
  return tests;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, M: 1 << 20, G: 1 << 30 };
/** `3` equal, `+3` more, `-3` less; k, M and G are powers of 1024. */
function comparison(option: string, text: string): (value: number) => boolean {
  const match = /^([+-]?)(\d{1,12})([kMG]?)$/.exec(text);
  if (match === null) throw usage(`find: ${option} is a number with + or - before it, not ${text}`);
  const limit = Number(match[2]) * (UNITS[match[3] ?? ''] as number);
  if (match[1] === '+') return (value) => value > limit;
  return match[1] === '-' ? (value) => value < limit : (value) => value === limit;
}
