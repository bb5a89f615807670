import { nameOf } from '../base/path.ts';
import type { Stat } from '../client/api.ts';
import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { matcher } from '../shell/glob.ts';
import type { Output } from '../shell/output.ts';
import { parseDuration } from '../shell/units.ts';
import { walkNodes } from '../shell/walk.ts';
import { Denied, inflightOf, Streamed, skipsOwn, withSuggestion } from './support.ts';

/** Nodes with certain properties. */
export default command({
  name: 'find',
  group: 'read',
  about: 'list the nodes below a node that pass every test',
  risk: 'read',
  params: {
    path: { kind: 'path', about: 'where to begin; default the current node', optional: true },
    name: { kind: 'text', short: '-name', about: 'the last part of the path matches', placeholder: 'GLOB' },
    iname: { kind: 'text', short: '-iname', about: 'the same without regard to case', placeholder: 'GLOB' },
    regex: { kind: 'text', short: '-regex', about: 'the path holds a match of this expression', placeholder: 'RE' },
    data: { kind: 'text', short: '-data', about: 'the data holds this text', placeholder: 'TEXT' },
    size: { kind: 'text', short: '-size', about: 'bytes of data: 100, +10k (more), -1M (less)', placeholder: 'N' },
    children: { kind: 'text', short: '-children', about: 'number of children: 3, +100, -5', placeholder: 'N' },
    version: { kind: 'text', short: '-version', about: 'version of the data: 3, +10, -5', placeholder: 'N' },
    mtime: {
      kind: 'text',
      short: '-mtime',
      about: 'changed within the last -1h, or longer ago than +7d',
      placeholder: 'AGE',
    },
    owner: { kind: 'text', short: '-owner', about: 'ephemeral of this session: 0x...', placeholder: 'ID' },
    ephemeral: { kind: 'flag', short: '-ephemeral', about: 'only ephemeral nodes' },
    persistent: { kind: 'flag', short: '-persistent', about: 'only others' },
    empty: { kind: 'flag', short: '-empty', about: 'without data' },
    leaf: { kind: 'flag', short: '-leaf', about: 'without children' },
    depth: { kind: 'number', short: '-depth', about: 'levels to go down', placeholder: 'N' },
    limit: { kind: 'number', short: '-limit', about: 'stop after so many', placeholder: 'N' },
    count: { kind: 'flag', short: '-count', about: 'only say how many' },
  },
  examples: [
    ['find /app -name "worker-*" -ephemeral', 'ephemeral workers'],
    ['find / -size +100k', 'big data'],
    ['find /app -mtime -1h -count', 'how many changed within the hour'],
  ],
  exits: [1, 10, 14],
  notes: ['/zookeeper is entered only when named. The exit code is 1 when nothing passes.'],
  async run(values, context): Promise<Output> {
    const { depth, limit, data } = values;
    if (values.ephemeral && values.persistent) throw usage('find: -ephemeral and -persistent exclude each other');
    const byName = nameTests(values);
    const byStat = statTests(values, Date.now());
    const client = await context.client();
    const { signal } = context;
    const root = values.path ?? context.cwd;
    const denied = new Denied();
    const shown = new Streamed<string>(context, (names, part) => ({
      type: 'listing',
      path: root,
      names,
      isPaths: true,
      onePerLine: true,
      ...(part !== undefined && { part }),
    }));
    using progress = context.progress(`searching ${root}`);
    const walk = { signal, inflight: inflightOf(context), depth, skip: skipsOwn(root), data: data !== undefined };
    let [seen, count] = [0, 0];
    await withSuggestion(root, context, async () => {
      for await (const node of walkNodes(client, root, walk)) {
        progress.update(++seen);
        if (node.denied) denied.add(node.path);
        const passes =
          byName.every((test) => test(node.path)) &&
          (node.hidden !== true || byStat.length === 0) &&
          byStat.every((test) => test(node.stat)) &&
          (data === undefined || node.data?.includes(data) === true);
        if (!passes) continue;
        if (limit !== undefined && count >= limit) break;
        count++;
        if (!values.count) await shown.add(node.path);
      }
    });
    denied.tell(context);
    const exit = denied.any ? 14 : count === 0 ? 1 : 0;
    if (values.count) return { type: 'value', value: count, text: String(count), exit };
    return { ...shown.end(), exit };
  },
});

function nameTests({ name, iname, regex }: Readonly<Record<'name' | 'iname' | 'regex', string | undefined>>) {
  const tests: ((path: string) => boolean)[] = [];
  if (name !== undefined) tests.push(onName(matcher(name)));
  if (iname !== undefined) {
    const matches = matcher(iname.toLowerCase());
    tests.push((path) => matches(nameOf(path).toLowerCase()));
  }
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
  readonly owner: string | undefined;
  readonly ephemeral: boolean;
  readonly persistent: boolean;
  readonly empty: boolean;
  readonly leaf: boolean;
}

function statTests(wishes: StatWishes, now: number): ((stat: Stat) => boolean)[] {
  const tests: ((stat: Stat) => boolean)[] = [];
  const { size, children, version, mtime, owner } = wishes;
  const add = (option: string, text: string | undefined, of: (stat: Stat) => number): void => {
    if (text === undefined) return;
    const fits = comparison(option, text);
    tests.push((stat) => fits(of(stat)));
  };
  add('-size', size, (stat) => stat.dataLength);
  add('-children', children, (stat) => stat.numChildren);
  add('-version', version, (stat) => stat.version);
  if (mtime !== undefined) {
    const sign = /^[+-]/.exec(mtime)?.[0];
    if (sign === undefined) throw usage('find: -mtime is -AGE (within) or +AGE (longer ago), for example -1h');
    const age = parseDuration(mtime.slice(1));
    tests.push((stat) => (sign === '-' ? now - stat.mtime <= age : now - stat.mtime > age));
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
