import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { textOf } from '../shell/node-json.ts';
import type { Match, Output } from '../shell/output.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { walkNodes } from '../shell/walk.ts';
import { Denied, inflightOf, Streamed, withSuggestion } from './support.ts';

/** Text in the data of nodes. */
export default command({
  name: 'grep',
  group: 'read',
  about: 'look for a text in the data of nodes and all below them',
  risk: 'read',
  params: {
    pattern: { kind: 'text', about: 'a regular expression; with -F a text' },
    paths: {
      kind: 'path',
      about: 'where to look; default the current node',
      many: true,
      optional: true,
      globs: true,
      placeholder: 'PATH',
    },
    ignoreCase: { kind: 'flag', short: '-i', about: 'without regard to case' },
    extended: { kind: 'flag', short: '-E', about: 'a regular expression (default)' },
    fixed: { kind: 'flag', short: '-F', about: 'a text, not an expression' },
    invert: { kind: 'flag', short: '-v', about: 'lines that do not match' },
    list: { kind: 'flag', short: '-l', about: 'only the paths' },
    count: { kind: 'flag', short: '-c', about: 'only how many lines of each node' },
    after: { kind: 'number', short: '-A', about: 'lines shown after each match', placeholder: 'N' },
    before: { kind: 'number', short: '-B', about: 'lines shown before each match', placeholder: 'N' },
    text: { kind: 'flag', long: '--text', about: 'binary data as if it were text' },
  },
  examples: [
    ['grep jdbc /app', 'every line with jdbc below /app'],
    ['grep -F -l "a.b" /app/config', 'nodes that hold a.b'],
    ['grep -i -c error', 'how often, from the current node on'],
  ],
  exits: [1, 10, 14],
  notes: ['The exit code is 1 when nothing matches.'],
  async run(values, context): Promise<Output> {
    const { before = 0, after = 0 } = values;
    if (values.fixed && values.extended) throw usage('grep: -E and -F exclude each other');
    if (values.list && values.count) throw usage('grep: -l and -c exclude each other');
    if (before < 0 || after < 0) throw usage('grep: -A and -B take a number of lines');
    const expression = expressionOf(values);
    const test = (line: string): boolean => expression.test(line) !== values.invert;
    const looker: Looker = { test, before, after, text: values.text };
    const marks = values.invert ? undefined : new RegExp(expression, `${expression.flags}g`);
    const client = await context.client();
    const { signal } = context;
    const denied = new Denied();
    const matches = new Streamed<Match>(context, (found, part) => ({
      type: 'matches',
      matches: found,
      ...(marks !== undefined && { marks }),
      ...(part !== undefined && { part }),
    }));
    const nodes = new Streamed<string>(context, (names, part) => ({
      type: 'listing',
      path: values.paths[0] ?? context.cwd,
      names,
      isPaths: true,
      onePerLine: true,
      ...(part !== undefined && { part }),
    }));
    let found = 0;
    let seen = 0;
    const roots = values.paths.length === 0 ? [context.cwd] : values.paths;
    using progress = context.progress(`searching ${roots[0]}`);
    for (const root of roots)
      await withSuggestion(root, context, async () => {
        const walk = { signal, inflight: inflightOf(context), skip: skipsOwn(client, root), data: true };
        for await (const node of walkNodes(client, root, walk)) {
          progress.update(++seen);
          if (node.denied) denied.add(node.path);
          if (node.data === null) continue;
          const lines = look(node.path, node.data, looker);
          const hits = lines.reduce((sum, { isContext }) => sum + (isContext ? 0 : 1), 0);
          found += hits;
          if (values.list) {
            if (hits > 0) await nodes.add(node.path);
          } else if (values.count) {
            if (hits > 0) await matches.add({ path: node.path, line: undefined, text: String(hits), count: hits });
          } else for (const line of lines) await matches.add(line);
        }
      });
    denied.tell(context, 'read');
    const exit = denied.any ? 14 : found === 0 ? 1 : 0;
    return { ...(values.list ? nodes.end() : matches.end()), exit };
  },
});

interface Looker {
  readonly test: (line: string) => boolean;
  readonly before: number;
  readonly after: number;
  readonly text: boolean;
}

function expressionOf(values: {
  readonly pattern: string;
  readonly fixed: boolean;
  readonly ignoreCase: boolean;
}): RegExp {
  const { pattern, fixed, ignoreCase } = values;
  const source = fixed ? pattern.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&') : pattern;
  try {
    return new RegExp(source, ignoreCase ? 'iu' : 'u');
  } catch (error) {
    throw usage(`grep: ${(error as Error).message}`, '-F looks for a text as it is');
  }
}

/** Lines of one node that match, and those around them. */
function look(path: string, data: Buffer, { test, before, after, text: takesAll }: Looker): Match[] {
  const text = textOf(data) ?? (takesAll ? data.toString('latin1') : undefined);
  if (text === undefined) {
    const hits = data.toString('latin1').split('\n').some(test);
    return hits ? [{ path, line: undefined, text: 'binary data matches' }] : [];
  }
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const shown = new Map<number, boolean>();
  for (const [at, line] of lines.entries()) {
    if (!test(line)) continue;
    for (let near = Math.max(0, at - before); near <= Math.min(lines.length - 1, at + after); near++)
      shown.set(near, shown.get(near) === true || near === at);
  }
  return [...shown]
    .sort(([a], [b]) => a - b)
    .map(([at, isMatch]) => ({ path, line: at + 1, text: lines[at] as string, ...(!isMatch && { isContext: true }) }));
}
