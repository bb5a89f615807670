import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type LoadedApache, loadApache } from '../apache/load.ts';
import { plural } from '../base/counts.ts';
import { type ApachePlace, apachePlace, epochIn, numberIn } from '../offline/apache-place.ts';
import { type Imported, importApache, newEpoch } from '../offline/import-apache.ts';
import { beyondImport, beyondNote, beyondSentence, noteOf, writeImportNote } from '../offline/import-note.ts';
import { directories, ImportWork } from '../offline/import-work.ts';
import { nodeDisk } from '../platform/disk.ts';
import { holdDirectory } from '../runtime/directory.ts';
import { REAL_PORTS } from '../runtime/node-options.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { F } from '../tree/rows.ts';
import { userOf } from './directory-user.ts';
import type { Globals } from './globals.ts';
import { WrongFile } from './offline-failures.ts';
import { oneWord, runOffline, type Said, serverId } from './offline-words.ts';
import { sessionsText } from './sessions-text.ts';

const COMMAND = {
  usage: `usage: zoosh import-apache DIR [--log-dir DIR] [--to DATADIR] [--to-log DIR] [--myid N] [--keep-sessions] [--accept-loss]
Makes a zoosh data directory of what an Apache ZooKeeper server (3.4 to 3.10) left in DIR, its dataDir, and in --log-dir, its
dataLogDir. Neither server may run. Apache's files are read and left as they are. Without --to the new directory is zoosh-1
beside version-2, so that the same zoo.cfg goes on. With -n before the command everything is read and nothing is written.
Sessions and ephemeral nodes are not taken over. --keep-sessions takes them: each lives for its timeout from the start of the
server on, and its client comes back with the password that Apache's server gave it, once. Whoever knows a session's id can work
that password out, as with Apache's servers, and so take the session: until then, not after.
--accept-loss takes what is whole of damaged files, and says what is not.`,
  options: {
    'log-dir': { type: 'string' },
    to: { type: 'string' },
    'to-log': { type: 'string' },
    myid: { type: 'string' },
    'keep-sessions': { type: 'boolean' },
    'accept-loss': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
} as const;
/** What a client may send by jute.maxbuffer's default, and the largest transaction that comes of it. */
const PACKET_BYTES = 1_048_575;
export const MAX_TXN_BYTES = 2 * PACKET_BYTES;

interface Wish {
  readonly from: ApachePlace;
  readonly dataDir: string;
  readonly logDir: string;
  readonly sid: number;
  readonly acceptLoss: boolean;
  readonly keepSessions: boolean;
}

/** `zoosh import-apache ...`. Returns the exit code. */
export const runImportApache = (args: readonly string[], globals: Globals): Promise<number> =>
  runOffline(COMMAND, args, (said) => run(wishOf(said), globals));

/** @throws UsageError, WrongFile */
function wishOf({ values, words }: Said<typeof COMMAND.options>): Wish {
  const dir = oneWord('import-apache', 'DIR', words);
  const said = values['log-dir'];
  const from = apachePlace(resolve(dir), said === undefined ? undefined : resolve(said));
  if (from === undefined)
    throw new WrongFile(
      `no files of Apache ZooKeeper in ${said === undefined ? dir : `${dir} and ${said}`}: there is no version-2`,
    );
  const dataDir = resolve(values.to ?? from.root);
  // where Apache had two directories, so has the zoo.cfg that goes on
  const logDir = resolve(values['to-log'] ?? (values.to === undefined && said !== undefined ? said : dataDir));
  const sid = serverId(values.myid, numberIn(join(dataDir, 'myid')) ?? numberIn(join(from.root, 'myid')) ?? 1);
  const keepSessions = values['keep-sessions'] === true;
  return { from, dataDir, logDir, sid, acceptLoss: values['accept-loss'] === true, keepSessions };
}

async function run(wish: Wish, globals: Globals): Promise<number> {
  const { from, dataDir, logDir, sid, acceptLoss, keepSessions } = wish;
  const user = userOf(from.folders.log, from.folders.data);
  if (user !== undefined) throw new StorageRefusal(42, `${user}. Stop that server first`);
  const left = await beyondImport(nodeDisk, dataDir, logDir);
  if (left !== undefined) throw new StorageRefusal(42, beyondSentence(left, dataDir));
  const isDry = globals.dryRun === true;
  const work = new ImportWork(nodeDisk, dataDir, logDir);
  if (isDry) await work.refuseTaken('import');
  if (isDry) {
    const loaded = await loadApache(nodeDisk, from.folders, { acceptLoss });
    newEpoch(loaded.state.zxid, epochIn(from.folders.data));
    return report(loaded, undefined, wish, globals);
  }
  using _places = directories([dataDir, logDir]);
  const lock = await holdDirectory(dataDir);
  try {
    await work.takeBack();
    await work.refuseTaken('import');
    const loaded = await loadApache(nodeDisk, from.folders, { acceptLoss });
    const note = noteOf(loaded);
    work.prepare();
    const made = await importApache(
      nodeDisk,
      loaded,
      { dataDir: work.dataDir, logDir: work.logDir, sid },
      {
        ...{ random: REAL_PORTS.random, now: Date.now(), maxTxnBytes: MAX_TXN_BYTES, keepSessions },
        epoch: epochIn(from.folders.data),
      },
    );
    await writeImportNote(nodeDisk, work.dataDir, note);
    const missed = await beyondNote(nodeDisk, from.folders, note);
    if (missed !== undefined)
      throw new StorageRefusal(
        42,
        `${missed.file} was written to while it was imported: an Apache server that is not seen from here runs on it. Stop that server first`,
      );
    await work.publish();
    return report(loaded, { ...made, sid, dataDir, logDir }, wish, globals);
  } finally {
    work.discard();
    lock.release();
  }
}

type Made = Imported & { readonly sid: number; readonly dataDir: string; readonly logDir: string };

function report(loaded: LoadedApache, made: Made | undefined, wish: Wish, globals: Globals): number {
  const { folders } = wish.from;
  const { state, snapshot, replayed, notes, lost, digestIsRight } = loaded;
  for (const note of notes) process.stderr.write(`warning: ${note}\n`);
  for (const each of lost) process.stderr.write(`warning: lost: ${each}\n`);
  const hex = (zxid: bigint): string => `0x${zxid.toString(16)}`;
  const nodes = made?.nodes ?? state.tree.rows.count;
  const all = { sessions: state.sessions.size, ephemerals: state.ephemerals };
  const none = { sessions: 0, ephemerals: 0 };
  // of a dry run: what would be, unless a session cannot be kept
  const kept = made ?? (wish.keepSessions ? all : none);
  const dropped =
    made === undefined
      ? wish.keepSessions
        ? none
        : all
      : { sessions: made.sessionsDropped, ephemerals: made.ephemeralsDropped };
  if (globals.output === 'json' || globals.output === 'ndjson') {
    const told = {
      snapshot: snapshot ?? null,
      replayed,
      nodes,
      dropped,
      kept: { sessions: kept.sessions, ephemerals: kept.ephemerals },
      lastZxid: hex(made?.lastZxid ?? state.zxid),
      digest: digestIsRight ?? null,
      lost,
      ...(made !== undefined && {
        containers: made.containers,
        ttls: made.ttls,
        server: made.sid,
        dataDir: made.dataDir,
        logDir: made.logDir,
        ensembleId: made.ensembleId,
        zxid: hex(made.zxid),
        epoch: made.epoch,
      }),
    };
    process.stdout.write(`${JSON.stringify(told)}\n`);
    return 0;
  }
  const kinds = made === undefined ? '' : ` (${made.containers} containers, ${made.ttls} with a time to live)`;
  const lines = [
    `read ${snapshot === undefined ? 'no snapshot' : `${folders.data}/${snapshot}`} and ${plural(replayed, 'transaction')} of the logs after it, to zxid ${hex(made?.lastZxid ?? state.zxid)}`,
    ...(digestIsRight === true ? ['the tree has the digest that the server which wrote it had'] : []),
    made === undefined
      ? `would import ${plural(nodes - dropped.ephemerals, 'node')}.  Nothing was written.`
      : `imported ${plural(nodes, 'node')}${kinds} as server ${made.sid} into ${made.dataDir}/zoosh-1${made.logDir === made.dataDir ? '' : ` and ${made.logDir}/zoosh-1`}`,
    ...(wish.keepSessions
      ? [
          `${made === undefined ? 'would keep' : 'kept'} ${sessionsText(kept.sessions, kept.ephemerals)}: start the server within ${kept.sessions === 1 ? 'its' : 'their'} timeout`,
        ]
      : []),
    ...(wish.keepSessions && dropped.sessions === 0
      ? []
      : [`${made === undefined ? 'would drop' : 'dropped'} ${sessionsText(dropped.sessions, dropped.ephemerals)}`]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  const big = largestOf(loaded);
  if (big > PACKET_BYTES)
    process.stderr.write(
      `warning: the largest node has ${big} bytes: set jute.maxbuffer, as it was, or clients can read it and not write it again\n`,
    );
  if (made !== undefined) warnOfOwner(made.dataDir);
  return 0;
}

function largestOf({ state: { tree } }: LoadedApache): number {
  let largest = 0;
  for (let row = 1; row < tree.rows.high; row++)
    if (tree.rows.get(row, F.pathLength) > 0) largest = Math.max(largest, tree.dataLength(row));
  return largest;
}

/** Files of root's are of no use to a server that runs as somebody else. */
export function warnOfOwner(dataDir: string): void {
  const uid = process.getuid?.();
  if (uid === undefined || !existsSync(dataDir)) return;
  const owner = statSync(dataDir).uid;
  if (owner !== uid)
    process.stderr.write(
      `warning: ${dataDir} belongs to user ${owner} and its zoosh-1 to user ${uid}: the server must be able to read and write it\n`,
    );
}
