import { KeeperError } from '../base/errors.ts';
import type { Lack } from '../shell/archive-read.ts';
import { command } from '../shell/command.ts';
import { isUnder, rebased, unknownAcls } from '../shell/node-record.ts';
import { lostText, type NodeSource, notWhole, openSource, placeOf, withoutSlash } from '../shell/node-source.ts';
import type { Difference, Output } from '../shell/output.ts';
import { differenceOf, hasUnknownAcl, type Pair, pairs } from '../shell/tree-plan.ts';
import { plural, showCount } from '../shell/units.ts';
import { Denied, fileOf, inflightOf, Streamed, withSuggestion } from './support.ts';

/** How two subtrees differ. */
export default command({
  name: 'diff',
  group: 'bulk',
  about: 'compare two nodes or subtrees, also of other ensembles and files',
  risk: 'read',
  params: {
    a: { kind: 'place', about: 'PATH, @profile:PATH, file:F or snap:F:PATH' },
    b: { kind: 'place', about: 'what it is compared with' },
    recursive: { kind: 'flag', short: '-r', about: 'with all below' },
    data: { kind: 'flag', long: '--data', about: 'only data' },
    acl: { kind: 'flag', long: '--acl', about: 'only ACLs' },
    stat: { kind: 'flag', long: '--stat', about: 'versions, too' },
    ephemerals: { kind: 'flag', long: '--ephemerals', about: 'ephemeral nodes, too' },
  },
  examples: [
    ['diff /app/a /app/b', 'two nodes'],
    ['diff -r @staging:/app @prod:/app', 'two ensembles'],
    ['diff -r /app file:app.ndjson', 'the tree and an export'],
    ['diff -r snap:snapshot.1a2:/app /app', 'what changed since a snapshot of a server'],
  ],
  exits: [1, 10, 14, 44],
  notes: [
    '+ is only in B, - only in A, ~ in both and different. Data and ACLs are compared unless one of them is asked for.',
    'snap:F:PATH is a subtree of a snapshot that a zoosh or Apache server wrote (without PATH all of it); every byte of the file is verified first.',
    'A file that was cut is compared as far as it goes, and the exit code is 14.',
    'So it is where an ACL was read without its password hashes: whether two such are the same nobody can say; --data leaves ACLs out.',
    'Paths are shown as A has them. The exit code is 0 when there is no difference and 1 when there is one.',
  ],
  async run({ a, b, recursive, data, acl, stat, ephemerals }, context): Promise<Output> {
    const aspects = { data: data || !acl, acl: acl || !data, stat };
    const denied = new Denied();
    let root = ''; // as A calls it
    // what may not be read on one side, as A calls it: nobody can say how it differs
    const hidden = new Set<string>();
    const lacks: string[] = [];
    const options = (text: string, nameOf: (path: string) => string) => ({
      signal: context.signal,
      inflight: inflightOf(context),
      acl: aspects.acl,
      ...(!recursive && { depth: 0 }),
      skipsOwn: true,
      denied: (path: string) => {
        const file = fileOf(text);
        if (file === undefined && path === withoutSlash(placeOf(text).name)) throw new KeeperError('NoAuth', path);
        // a file is read to its end, also when only its root is compared
        if (!recursive && nameOf(path) !== root) return;
        const { target } = placeOf(text);
        denied.add(target === undefined ? path : `${target}:${path}`, file);
        hidden.add(nameOf(path));
      },
      cut: (lack: Lack) => {
        if (recursive || lack === 'root') lacks.push(notWhole(fileOf(text) ?? text, lack));
      },
    });
    await using left = await openSource(
      a,
      context,
      options(a, (path) => path),
    );
    root = left.root;
    await using right: NodeSource = await openSource(
      b,
      context,
      options(b, (path) => rebased(path, right.root, root)),
    );
    const seen = { same: 0, created: 0, deleted: 0, changed: 0, ephemerals: 0 };
    const counts = () => ({ ...(!ephemerals && { ephemeralsLeftOut: seen.ephemerals }), same: seen.same });
    const unknown: string[] = [];
    const shown = new Streamed<Difference>(context, (differences, part) => ({
      type: 'differences',
      differences,
      ...(part !== undefined && { part }),
    }));
    using progress = context.progress(`comparing ${a} and ${b}`);
    let nodes = 0;
    await withSuggestion(left.root, context, async () => {
      for await (const pair of pairs(left, right)) {
        progress.update(++nodes);
        const isRoot = pair.left?.path === left.root || pair.right?.path === right.root;
        if (!recursive && !isRoot) continue;
        if (hidden.size > 0 && isUnder(pair.path, hidden)) continue;
        if (!ephemerals && (pair.left?.kind === 'ephemeral' || pair.right?.kind === 'ephemeral') && !isRoot) {
          seen.ephemerals++;
          continue;
        }
        const isUnknown = aspects.acl && hasUnknownAcl(pair);
        if (isUnknown) unknown.push(pair.path);
        const difference = differenceOf(asTold(pair, left, right), aspects);
        if (difference === undefined) {
          if (!isUnknown) seen.same++;
          continue;
        }
        seen[difference.sign === '+' ? 'created' : difference.sign === '-' ? 'deleted' : 'changed']++;
        await shown.add(difference, (difference.before?.length ?? 0) + (difference.after?.length ?? 0));
      }
    });
    denied.tell(context, 'read');
    for (const each of lacks) context.warn(each);
    for (const [text, { lost }] of recursive
      ? ([
          [a, left],
          [b, right],
        ] as const)
      : [])
      if (lost !== undefined) context.warn(lostText(fileOf(text) ?? text, lost));
    if (unknown.length > 0) context.warn(unknownAcls(unknown));
    const exit = denied.any || lacks.length > 0 || unknown.length > 0 ? 14 : shown.count > 0 ? 1 : 0;
    const parts = [
      ...(seen.created > 0 ? [`${showCount(seen.created)} only in ${b}`] : []),
      ...(seen.deleted > 0 ? [`${showCount(seen.deleted)} only in ${a}`] : []),
      ...(seen.changed > 0 ? [`${showCount(seen.changed)} different`] : []),
      `${plural(seen.same, 'node')} the same`,
      ...(seen.ephemerals > 0 ? [`${showCount(seen.ephemerals)} ephemeral left out`] : []),
    ];
    const last = shown.end();
    return {
      ...last,
      exit,
      summary: ` ${parts.join(', ')}`,
      counts: { equal: shown.count > 0 ? false : exit === 0 ? true : null, ...counts() },
    } as Output;
  },
});

/** Servers do not tell containers and TTL nodes apart from others: no difference from a file that does. */
function asTold(pair: Pair, a: NodeSource, b: NodeSource): Pair {
  const { left, right } = pair;
  if (left === undefined || right === undefined || (a.client === undefined) === (b.client === undefined)) return pair;
  const [live, kept] = a.client === undefined ? [right, left] : [left, right];
  if (live.kind === 'ephemeral' || kept.kind === 'ephemeral') return pair;
  const told = { ...live, kind: kept.kind, ttlMs: kept.ttlMs };
  return live === left ? { ...pair, left: told } : { ...pair, right: told };
}
