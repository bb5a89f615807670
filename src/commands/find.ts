import { type Arg, command } from '../shell/command.ts';
import { type Failure, toldAlready, usage } from '../shell/failure.ts';
import type { ListedNode, Output } from '../shell/output.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { filledFor } from '../shell/placeholders.ts';
import { walkNodes } from '../shell/walk.ts';
import { agreeOnRuns, type Found, isBulkRun } from './agree-runs.ts';
import { deleteFound, type Search } from './find-delete.ts';
import { nameTests, statTests } from './find-tests.ts';
import { Denied, graver, inflightOf, Streamed, withSuggestion } from './support.ts';

/** Nodes with certain properties. */
export default command({
  name: 'find',
  group: 'read',
  about: 'list the nodes below a node that pass every test',
  risk: 'read',
  runsForMany: true,
  params: {
    path: { kind: 'path', about: 'where to begin; default the current node', optional: true },
    name: { kind: 'text', short: '-name', about: 'the last part of the path matches', placeholder: 'GLOB' },
    iname: { kind: 'text', short: '-iname', about: 'the same without regard to case', placeholder: 'GLOB' },
    whole: { kind: 'text', short: '-path', about: 'the whole path matches; * goes over slashes', placeholder: 'GLOB' },
    regex: { kind: 'text', short: '-regex', about: 'the path holds a match of this expression', placeholder: 'RE' },
    data: { kind: 'text', short: '-data', about: 'the data holds this text', placeholder: 'TEXT' },
    size: { kind: 'text', short: '-size', about: 'bytes of data: 100, +10k (more), -1M (less)', placeholder: 'N' },
    children: { kind: 'text', short: '-children', about: 'number of children: 3, +100, -5', placeholder: 'N' },
    version: { kind: 'text', short: '-version', about: 'version of the data: 3, +10, -5', placeholder: 'N' },
    mtime: {
      kind: 'text',
      short: '-mtime',
      about: 'data changed less (-1h) or more (+7d) than that ago',
      placeholder: 'AGE',
    },
    ctime: {
      kind: 'text',
      short: '-ctime',
      about: 'created less (-7d) or more (+7d) than that ago',
      placeholder: 'AGE',
    },
    acl: {
      kind: 'text',
      short: '-acl',
      about: 'the ACL has an entry of this scheme',
      placeholder: 'SCHEME',
      offers: ['world', 'digest', 'digest256', 'ip', 'x509', 'sasl'],
    },
    owner: { kind: 'text', short: '-owner', about: 'ephemeral of this session: 0x...', placeholder: 'ID' },
    ephemeral: { kind: 'flag', short: '-ephemeral', about: 'only ephemeral nodes' },
    persistent: { kind: 'flag', short: '-persistent', about: 'only nodes that are not ephemeral' },
    empty: { kind: 'flag', short: '-empty', about: 'without data' },
    leaf: { kind: 'flag', short: '-leaf', about: 'without children' },
    depth: { kind: 'number', short: '-depth', about: 'levels to go down', placeholder: 'N' },
    limit: { kind: 'number', short: '-limit', about: 'stop after N nodes', placeholder: 'N' },
    count: { kind: 'flag', short: '-count', about: 'only say how many' },
    print: { kind: 'flag', short: '-print', about: 'show the paths, as without it' },
    long: { kind: 'flag', short: '-ls', about: 'kind, version, size, children and age of each' },
    delete: { kind: 'flag', short: '-delete', about: 'delete them, those below first; asks as deleteall does' },
    exec: {
      kind: 'command',
      short: '-exec',
      about:
        'run this command for each; all that follows belongs to it, but for a ; at the end; {} is the path, {name} its last part',
      placeholder: 'CMD...',
      many: true,
    },
  },
  // what follows -exec is one command, options and all; of the find of the system hands know the semicolon at its end
  legacy: (args) => {
    const at = args.findIndex(({ text, quote }) => quote === 'none' && text === '-exec');
    if (at < 0) return args;
    const last = args.at(-1)?.text;
    const words = args.slice(at + 1, last === ';' || last === '\\;' ? -1 : undefined);
    if (words.length === 0) return args.slice(0, at + 1);
    return [...args.slice(0, at), ...words.flatMap((word) => [args[at] as Arg, word])];
  },
  examples: [
    ['find /app -name "worker-*" -ephemeral', 'ephemeral workers'],
    ['find / -size +100k', 'big data'],
    ['find /app -mtime -1h -count', 'how many changed within the hour'],
    ['find /locks -leaf -mtime +7d -delete', 'what nobody has touched for a week'],
    ['find /app -name config -exec get {}', 'the data of each'],
  ],
  exits: [1, 10, 13, 14, 30, 31],
  foreign: {
    '-type': 'nodes have no types: -leaf, -empty, -ephemeral and -persistent tell them apart',
    '-maxdepth': '-depth N goes down so many levels',
    '-mmin': '-mtime -10m is within ten minutes, +10m longer ago',
    '-newer': '-mtime -1h is within the hour',
    '-user': '-owner 0x... is the session of an ephemeral node',
    '-print0': '-o ndjson gives a line for each, whatever is in its name',
  },
  riskOf: (values) => (values.delete === true ? 'bulk' : 'read'),
  notes: [
    'With -exec and a command that changes something it is bulk work: it asks first as deleteall does.',
    'With -delete a node that cannot go, since others are left below it or the ACL forbids it, stays; the others go all the same.',
    '/zookeeper is entered only when named. The exit code is 1 when nothing passes. Servers do not tell containers and TTL',
    'nodes from others, so there are no tests for them.',
  ],
  async run(values, context): Promise<Output> {
    const { depth, limit, data, acl } = values;
    const actions = [values.count, values.long, values.delete, values.exec.length > 0].filter(Boolean).length;
    for (const each of [depth, limit])
      if (each !== undefined && each < 0) throw usage('find: -depth and -limit must not be negative');
    if (actions > 1) throw usage('find: one of -count -ls -delete -exec');
    if (values.ephemeral && values.persistent) throw usage('find: -ephemeral and -persistent exclude each other');
    const byName = nameTests(values);
    const byStat = statTests(values, Date.now());
    const client = await context.client();
    const { signal } = context;
    const root = values.path ?? context.cwd;
    const denied = new Denied();
    const shown = new Streamed<ListedNode>(context, (nodes, part) => ({
      type: 'listing',
      path: root,
      names: nodes.map(({ name }) => name),
      ...(values.long && { long: nodes }),
      isPaths: true,
      onePerLine: true,
      ...(part !== undefined && { part }),
    }));
    const walk = { signal, inflight: inflightOf(context), depth, skip: skipsOwn(client, root) };
    const wants = { ...walk, data: data !== undefined, acl: acl !== undefined };
    using progress = context.progress(`searching ${root}`);
    let count = 0;
    const search: Search = async function* () {
      let seen = 0;
      count = 0;
      denied.clear();
      for await (const node of walkNodes(client, root, wants)) {
        progress.update(++seen);
        if (node.denied) denied.add(node.path);
        const passes =
          byName.every((test) => test(node.path)) &&
          (node.hidden !== true || byStat.length === 0) &&
          byStat.every((test) => test(node.stat)) &&
          (data === undefined || node.data?.includes(data) === true) &&
          (acl === undefined || node.acl.some(({ scheme }) => scheme === acl));
        if (passes && limit !== undefined && count >= limit) return;
        if (passes) count++;
        yield { node, passes };
      }
    };
    let exit = 0;
    let first: Failure | undefined;
    const output = await withSuggestion(root, context, async () => {
      if (values.delete) return deleteFound(search, root, context);
      if (values.exec.length > 0 && isBulkRun(values.exec, context)) {
        const found = async function* (): Found {
          for await (const { node, passes } of search()) if (passes) yield node;
        };
        await agreeOnRuns(values.exec, root, found, client, context);
      }
      for await (const { node, passes } of search()) {
        if (!passes) continue;
        if (values.exec.length > 0)
          try {
            signal.throwIfAborted();
            const status = await context.execute(filledFor(values.exec, node.path));
            exit = graver(exit, status);
          } catch (error) {
            if (!context.keepGoing || signal.aborted) throw error;
            const failure = context.failedWithin(error, `${node.path}: `);
            first ??= failure;
          }
        else if (!values.count) await shown.add({ name: node.path, stat: node.stat });
      }
      return undefined;
    });
    denied.tell(context);
    if (first !== undefined) throw toldAlready(first);
    if (output !== undefined) exit = output.exit ?? 0;
    if (denied.any) exit = 14;
    else if (count === 0) exit = 1;
    if (output !== undefined) return { ...output, exit };
    if (values.count) return { type: 'value', value: count, text: String(count), exit };
    if (values.exec.length > 0) return { type: 'many', parts: [], exit };
    return { ...shown.end(), exit };
  },
});
