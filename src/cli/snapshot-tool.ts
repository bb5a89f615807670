import { resolve } from 'node:path';
import type { BackupDescription } from '../offline/backup-file.ts';
import { countTree, kindOf, type SnapshotView, viewSnapshot } from '../offline/snapshot-view.ts';
import { nodeDisk } from '../platform/disk.ts';
import { plural } from '../shell/units.ts';
import type { Globals } from './globals.ts';
import { explainOffline, WrongFile } from './offline-failures.ts';
import { OfflineOutput } from './offline-output.ts';
import { oneWord, runOffline, type Said } from './offline-words.ts';
import { UsageError } from './start-failures.ts';

const COMMAND = {
  usage: `usage: zoosh snapshot info FILE
       zoosh snapshot verify FILE...
       zoosh snapshot ls [-d|-json] FILE
       zoosh snapshot summary FILE NODE DEPTH
       zoosh snapshot compare -l LEFT -r RIGHT [-b BYTES] [-n NODES] [-d] [-i]
  info     what it is, how much is in it, whether it is whole
  verify   every byte is read; 0 when all are whole, 44 when one is not
  ls       every znode; -d with its data in base64, -json for ncdu -f
  summary  how many nodes and bytes are below NODE, and below each of its descendants that has children, DEPTH levels down; 0: all
  compare  where they differ by more than BYTES or NODES (0), level by level; -d tells the rest, too. 0 when they do not, 1 when
           they do. -i asks step by step which level, or whose children, and tells all of them
Snapshots and backups of zoosh servers, and snapshots of Apache ZooKeeper, plain, by gzip or snappy.`,
  options: {
    data: { type: 'boolean', short: 'd' },
    json: { type: 'boolean' },
    left: { type: 'string', short: 'l' },
    right: { type: 'string', short: 'r' },
    bytes: { type: 'string', short: 'b' },
    nodes: { type: 'string', short: 'n' },
    interactive: { type: 'boolean', short: 'i' },
    help: { type: 'boolean', short: 'h' },
  },
} as const;

/** `zoosh snapshot ...`. Returns the exit code. */
export function runSnapshot(args: readonly string[], globals: Globals): Promise<number> {
  // as the tools of Apache's spell it
  const words = args.map((word) => (word === '-json' ? '--json' : word === '--debug' ? '--data' : word));
  return runOffline(COMMAND, words, (said) => run(said, globals));
}

async function run({ values, words }: Said<typeof COMMAND.options>, globals: Globals): Promise<number> {
  const [action, ...files] = words;
  const isJson = globals.output === 'json' || globals.output === 'ndjson';
  switch (action) {
    case 'info':
      return await info(await view(oneWord('snapshot', 'FILE', files)), isJson);
    case 'verify':
      return await verify(files, isJson);
    case 'ls': {
      const out = new OfflineOutput();
      const shown = await view(oneWord('snapshot', 'FILE', files));
      const text = await import('./snapshot-text.ts');
      if (values.json === true) await text.snapshotAsNcdu(shown, Date.now(), out);
      else await text.listSnapshot(shown, values.data === true, out);
      out.end();
      return 0;
    }
    case 'summary': {
      const [file, node, depth, more] = files;
      if (file === undefined || node === undefined || depth === undefined || more !== undefined)
        throw new UsageError('snapshot summary: a snapshot, the path of a node, and how many levels: FILE NODE DEPTH');
      if (!node.startsWith('/')) throw new UsageError(`snapshot summary: ${node} is not the path of a node`);
      if (!/^\d{1,9}$/.test(depth)) throw new UsageError(`snapshot summary: ${depth} is not a number of levels`);
      const out = new OfflineOutput();
      const { summarizeSnapshot } = await import('./snapshot-summary.ts');
      await summarizeSnapshot(await view(file), node === '/' ? node : node.replace(/\/+$/, ''), Number(depth), out);
      out.end();
      return 0;
    }
    case 'compare': {
      const [left = values.left, right = values.right, more] = files;
      if (left === undefined || right === undefined || more !== undefined)
        throw new UsageError('snapshot compare: two snapshots, -l LEFT and -r RIGHT');
      const isAsked = values.interactive === true;
      const limits = {
        bytes: limit('-b', values.bytes),
        nodes: limit('-n', values.nodes),
        debug: values.data === true || isAsked,
      };
      const out = new OfflineOutput();
      const { compareSnapshots } = await import('./snapshot-compare.ts');
      const alike = await compareSnapshots(
        await view(left),
        await view(right),
        limits,
        out,
        isAsked ? typed() : undefined,
      );
      out.end();
      return alike ? 0 : 1;
    }
    default:
      throw new UsageError(
        action === undefined
          ? 'snapshot: say info, verify, ls, summary or compare'
          : `snapshot: ${action} is not info, verify, ls, summary or compare`,
      );
  }
}

/** Standard input, from when the first line is asked for. */
async function* typed(): AsyncIterable<string> {
  const { createInterface } = await import('node:readline');
  yield* createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
}
function limit(option: string, text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`snapshot compare: ${option} ${text} is not a number`);
  return Number(text);
}

/** @throws WrongFile */
function view(file: string): Promise<SnapshotView> {
  const kind = kindOf(file);
  if (kind === 'unknown' || kind.endsWith('log'))
    throw new WrongFile(`${file} is ${kind === 'unknown' ? 'no snapshot' : `a log: zoosh txnlog ${file} shows it`}`);
  return viewSnapshot(nodeDisk, resolve(file));
}

const hex = (n: bigint): string => `0x${BigInt.asUintN(64, n).toString(16)}`;

async function info(seen: SnapshotView, isJson: boolean): Promise<number> {
  const { file, kind, compression, zxid, sessions, digest, open, tree, backup } = seen;
  const counts = countTree(tree);
  const told = {
    file,
    kind,
    compression,
    zxid: zxid === undefined ? null : hex(zxid),
    ...counts,
    sessions: sessions.length,
    digest: digest === undefined ? null : { zxid: hex(digest.zxid), digest: hex(digest.digest) },
    needsLogs: open,
    ...(backup !== undefined && { backup }),
  };
  if (isJson) {
    process.stdout.write(`${JSON.stringify(told)}\n`);
    return 0;
  }
  const rows: [string, string][] = [
    ['file', file],
    ['kind', compression === 'none' ? kind : `${kind}, ${compression}`],
    ['zxid', told.zxid ?? 'not said'],
    [
      'nodes',
      `${counts.nodes} (${counts.ephemerals} ephemeral, ${counts.containers} containers, ${counts.ttls} with a time to live)`,
    ],
    ['data', `${counts.bytes} bytes`],
    ['depth', String(counts.depth)],
    ['sessions', String(sessions.length)],
    ...(digest === undefined
      ? []
      : ([['digest', `${hex(digest.digest)} at zxid ${hex(digest.zxid)}`]] as [string, string][])),
    ...open.map((clause): [string, string] => ['logs needed', clause]),
    ...(backup === undefined ? [] : backupRows(backup)),
    ['whole', 'yes, every checksum is right'],
  ];
  process.stdout.write(rows.map(([name, text]) => `${name.padEnd(12)} ${text}\n`).join(''));
  return 0;
}

const backupRows = ({ ensembleId, server, epoch, takenAt, version, digest }: BackupDescription): [string, string][] => [
  ['ensemble', ensembleId],
  [
    'taken',
    `${new Date(takenAt).toISOString()} of server ${server ?? 'unknown'} in epoch ${epoch}, by zoosh ${version}`,
  ],
  ['digest', digest],
];

/** Goes on after one that is damaged, so that all are known. */
async function verify(files: readonly string[], isJson: boolean): Promise<number> {
  if (files.length === 0) throw new UsageError('snapshot: FILE is missing');
  let worst = 0;
  for (const file of files) {
    try {
      const { zxid, tree } = await view(file);
      const nodes = tree.rows.count;
      const at = zxid === undefined ? null : hex(zxid);
      process.stdout.write(
        isJson
          ? `${JSON.stringify({ file, whole: true, zxid: at, nodes })}\n`
          : `${file}: whole, ${plural(nodes, 'node')}${at === null ? '' : `, zxid ${at}`}\n`,
      );
    } catch (error) {
      if (isJson) process.stdout.write(`${JSON.stringify({ file, whole: false, reason: (error as Error).message })}\n`);
      worst = Math.max(worst, explainOffline(error, COMMAND.usage));
    }
  }
  return worst;
}
