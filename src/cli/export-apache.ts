import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { numberIn, VERSION_2 } from '../offline/apache-place.ts';
import { type Exported, exportApache, halfExport, lastZxidOf, writeSmall } from '../offline/export-apache.ts';
import { directories } from '../offline/import-work.ts';
import { type OwnState, readOwnState } from '../offline/own-state.ts';
import { nodeDisk } from '../platform/disk.ts';
import { holdDirectory } from '../runtime/directory.ts';
import { plural } from '../shell/units.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { userOf } from './directory-user.ts';
import type { Globals } from './globals.ts';
import { WrongFile } from './offline-failures.ts';
import { oneWord, runOffline, type Said } from './offline-words.ts';
import { sessionsText } from './sessions-text.ts';
import { UsageError } from './start-failures.ts';

const COMMAND = {
  usage: `usage: zoosh export-apache DATADIR [--log-dir DIR] --to DIR
Writes DIR/version-2, which an Apache ZooKeeper server of 3.4 or later starts from, out of the data directory of a zoosh server
that is stopped: one snapshot, an empty log, the epoch files, and myid where it is missing. Of an ensemble one member is enough: the same
version-2 goes to every Apache server. Stop them all, and take the one whose log goes furthest (zoosh verify tells). Sessions and
ephemeral nodes are left out.`,
  options: {
    'log-dir': { type: 'string' },
    to: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
} as const;

interface Wish {
  readonly dataDir: string;
  readonly logDir: string;
  readonly to: string;
}

/** `zoosh export-apache ...`. Returns the exit code. */
export const runExportApache = (args: readonly string[], globals: Globals): Promise<number> =>
  runOffline(COMMAND, args, (said) => run(wishOf(said), globals));

/** @throws UsageError, WrongFile */
function wishOf({ values, words }: Said<typeof COMMAND.options>): Wish {
  const dir = oneWord('export-apache', 'DATADIR', words);
  if (values.to === undefined) throw new UsageError('export-apache needs --to DIR, the dataDir of the Apache server');
  const dataDir = resolve(dir);
  if (!existsSync(join(dataDir, 'zoosh-1')))
    throw new WrongFile(`no zoosh server was ever in ${dir}: there is no zoosh-1`);
  return { dataDir, logDir: resolve(values['log-dir'] ?? dir), to: resolve(values.to) };
}

async function run({ dataDir, logDir, to }: Wish, globals: Globals): Promise<number> {
  const lock = await holdDirectory(dataDir);
  try {
    const folder = join(to, VERSION_2);
    const isLeft = (await halfExport(nodeDisk, folder)) !== undefined;
    const [name] = existsSync(folder) && !isLeft ? readdirSync(folder) : [];
    if (name !== undefined)
      throw new StorageRefusal(
        42,
        `${folder} holds ${name}: an Apache server was there already. Say another --to, or move that folder away`,
      );
    const user = userOf(to);
    if (user !== undefined) throw new StorageRefusal(42, `${user}. Stop that server first`);
    const own = await readOwnState(nodeDisk, dataDir, logDir);
    if (own === undefined) throw new WrongFile(`no zoosh server was ever in ${dataDir}`);
    const id = numberIn(join(to, 'myid'));
    if (globals.dryRun === true) return report(own, undefined, globals);
    using _places = directories([folder, to]);
    const made = await exportApache(nodeDisk, own, folder);
    if (id === undefined) await writeSmall(nodeDisk, join(to, 'myid'), `${own.identity.sid}\n`);
    return report(own, made, globals);
  } finally {
    lock.release();
  }
}

const hex = (zxid: bigint): string => `0x${zxid.toString(16)}`;

/** As of what was exported, as far as it is known before. */
const wouldBe = ({ tree }: OwnState) => ({
  nodes: tree.rows.count - tree.ephemerals,
  dropped: { sessions: tree.sessions.size, ephemerals: tree.ephemerals },
  lastZxid: hex(lastZxidOf(tree)),
  dryRun: true,
});
function whatWas({ sessionsDropped, ephemeralsDropped, lastZxid, zxid, ...rest }: Exported) {
  const dropped = { sessions: sessionsDropped, ephemerals: ephemeralsDropped };
  return { ...rest, dropped, lastZxid: hex(lastZxid), zxid: hex(zxid) };
}

function report(own: OwnState, made: Exported | undefined, globals: Globals): number {
  const { tree, notes, unsure } = own;
  for (const note of notes) process.stderr.write(`warning: ${note}\n`);
  if (globals.output === 'json' || globals.output === 'ndjson') {
    const told = { notKnownCommitted: unsure, ...(made === undefined ? wouldBe(own) : whatWas(made)) };
    process.stdout.write(`${JSON.stringify(told)}\n`);
    return 0;
  }
  if (unsure > 0)
    process.stderr.write(
      `warning: the last ${unsure} transactions are not known to be committed, and count from now on; another member's log may go further (zoosh verify tells)\n`,
    );
  if (made === undefined) {
    process.stdout.write(`would export ${plural(tree.rows.count - tree.ephemerals, 'node')}.  Nothing was written.\n`);
    return 0;
  }
  const lines = [
    `exported ${plural(made.nodes, 'node')} (${plural(made.containers, 'container')}, ${made.ttls} with a time to live) to ${made.file}`,
    `left out ${sessionsText(made.sessionsDropped, made.ephemeralsDropped)}`,
    `zxid ${hex(made.lastZxid)} is followed by ${hex(made.zxid)}`,
    ...(made.ttls > 0
      ? ['nodes with a time to live need -Dzookeeper.extendedTypesEnabled=true at every Apache server']
      : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}
