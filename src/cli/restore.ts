import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { apachePlace, numberIn } from '../offline/apache-place.ts';
import { directories, ImportWork, type Sacrifice, sacrificeOf } from '../offline/import-work.ts';
import { loadBackup, type ReadBackup, type Restored, restoreBackup } from '../offline/restore-backup.ts';
import { isPackedBackup, kindOf } from '../offline/snapshot-view.ts';
import { placesOf } from '../operate/places.ts';
import { nodeDisk } from '../platform/disk.ts';
import { readBeside } from '../runtime/config-files.ts';
import { holdDirectory } from '../runtime/directory.ts';
import { ownId } from '../runtime/load.ts';
import { REAL_PORTS } from '../runtime/node-options.ts';
import { checkConfig } from '../server/config.ts';
import { plural } from '../shell/units.ts';
import { StorageRefusal } from '../storage/errors.ts';
import type { Globals } from './globals.ts';
import { MAX_TXN_BYTES, warnOfOwner } from './import-apache.ts';
import { WrongFile } from './offline-failures.ts';
import { oneWord, runOffline, type Said, serverId } from './offline-words.ts';
import { surroundings } from './server.ts';
import { sessionsText } from './sessions-text.ts';
import { settingsIn, UsageError } from './start-failures.ts';

const COMMAND = {
  usage: `usage: zoosh restore FILE --to DATADIR [--to-log DIR] [--myid N] [--epoch N] [--sacrifice ID]
       zoosh restore FILE --config DIR|FILE [--myid N] [--epoch N] [--sacrifice ID]
Makes the data directory of a new ensemble from what zoosh backup wrote (or a snapshot that the admin server gave). The directory
holds no history; --sacrifice ID says that the ensemble of this id, as zoosh verify tells it, is given up: its zoosh-1 is set
aside. No server may run on it. Of several members one is restored; the others start with empty directories and are added by it.
The new ensemble has another id, so that members of the old one are refused, and an epoch 65536 beyond the backup's, so that
clients that saw later transactions are let in; --epoch N: beyond N, too. Sessions and ephemeral nodes are not restored.
With -n before the command everything is read and nothing is written.`,
  options: {
    to: { type: 'string' },
    'to-log': { type: 'string' },
    config: { type: 'string' },
    myid: { type: 'string' },
    epoch: { type: 'string' },
    sacrifice: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
} as const;

interface Wish {
  readonly file: string;
  readonly dataDir: string;
  readonly logDir: string;
  readonly sid: number;
  /** Known to have been, by whoever restores. */
  readonly epoch: number;
  readonly sacrifice: string | undefined;
}

/** `zoosh restore ...`. Returns the exit code. */
export const runRestore = (args: readonly string[], globals: Globals): Promise<number> =>
  runOffline(COMMAND, args, (said) => run(wishOf(said), globals));

/** @throws UsageError, WrongFile, StartError, ConfigError */
function wishOf({ values, words }: Said<typeof COMMAND.options>): Wish {
  const file = oneWord('restore', 'FILE', words);
  const kind = kindOf(file);
  if (isPackedBackup(file)) throw new WrongFile(`${file} is compressed: gunzip it first`);
  if (kind !== 'zoosh backup' && kind !== 'zoosh snapshot')
    throw new WrongFile(
      kind.startsWith('Apache')
        ? `${file} is of Apache ZooKeeper: zoosh import-apache reads its data directory`
        : `${file} is not a backup`,
    );
  if ((values.to === undefined) === (values.config === undefined))
    throw new UsageError('restore: say either --to DATADIR or --config DIR|FILE');
  const { epoch = '0' } = values;
  if (!/^\d{1,10}$/.test(epoch)) throw new UsageError(`restore: --epoch ${epoch} is not a number`);
  return { file: resolve(file), ...placeIn(values), epoch: Number(epoch), sacrifice: values.sacrifice };
}
function placeIn(values: Said<typeof COMMAND.options>['values']): Pick<Wish, 'dataDir' | 'logDir' | 'sid'> {
  if (values.config === undefined) {
    const dataDir = resolve(values.to ?? '.');
    const sid = serverId(values.myid, numberIn(join(dataDir, 'myid')) ?? 1);
    return { dataDir, logDir: resolve(values['to-log'] ?? dataDir), sid };
  }
  if (values['to-log'] !== undefined) throw new UsageError('restore: --to-log goes with --to; zoo.cfg has dataLogDir');
  const settings = settingsIn(placesOf(surroundings(), values.config, undefined).config);
  const config = checkConfig(settings, readBeside(settings, values.myid));
  const { ensemble, dataDir, dataLogDir } = config;
  return { dataDir: resolve(dataDir), logDir: resolve(dataLogDir), sid: ensemble?.sid ?? ownId(config) };
}

async function run(wish: Wish, globals: Globals): Promise<number> {
  const { file, dataDir, logDir, sid } = wish;
  const apache = apachePlace(dataDir, logDir);
  if (apache !== undefined && !existsSync(join(dataDir, 'zoosh-1')))
    throw new StorageRefusal(
      42,
      `${apache.folders.data} holds data of an Apache ZooKeeper server: say another --to, or move that folder away`,
    );
  const work = new ImportWork(nodeDisk, dataDir, logDir);
  const isDry = globals.dryRun === true;
  using _places = directories(isDry ? [] : [dataDir, logDir]);
  const lock = existsSync(dataDir) ? await holdDirectory(dataDir) : undefined;
  try {
    if (!isDry) await work.takeBack();
    const sacrifice = await sacrificeOf(nodeDisk, dataDir, logDir, wish.sacrifice);
    if (sacrifice === undefined) await work.refuseTaken('restoration');
    const read = await loadBackup(nodeDisk, file);
    if (isDry) return report(read, undefined, wish, globals);
    work.prepare();
    const restored = await restoreBackup(
      nodeDisk,
      read,
      { dataDir: work.dataDir, logDir: work.logDir, sid },
      {
        ...{ random: REAL_PORTS.random, now: Date.now(), maxTxnBytes: MAX_TXN_BYTES },
        epoch: Math.max(wish.epoch, sacrifice?.epoch ?? 0),
      },
    );
    const aside = await work.publish(sacrifice);
    return report(read, { ...restored, aside, sacrifice }, wish, globals);
  } finally {
    if (!isDry) work.discard();
    lock?.release();
  }
}

type Made = Restored & { readonly aside: readonly string[]; readonly sacrifice: Sacrifice | undefined };

function report(
  { description, isBackup, tree }: ReadBackup,
  made: Made | undefined,
  { dataDir, logDir, sid }: Wish,
  globals: Globals,
): number {
  const { zxid, ensembleId, takenAt } = description;
  if (!isBackup)
    process.stderr.write(
      'warning: a snapshot does not say which epochs its server promised: --epoch N, where clients may have seen later ones\n',
    );
  const backup = { zxid, ensembleId, takenAt: isBackup ? new Date(takenAt).toISOString() : null };
  if (globals.output === 'json' || globals.output === 'ndjson') {
    const { sacrifice, ...rest } = made ?? { sacrifice: undefined };
    process.stdout.write(
      `${JSON.stringify({ backup, server: sid, dataDir, logDir, ...rest, sacrificed: sacrifice?.ensembleId ?? null })}\n`,
    );
  } else {
    const folders = `${dataDir}/zoosh-1${logDir === dataDir ? '' : ` and ${logDir}/zoosh-1`}`;
    const when = backup.takenAt === null ? '' : `, taken ${backup.takenAt}`;
    const lines = [
      `read a backup of ensemble ${ensembleId || 'unknown'} at zxid ${zxid}${when}`,
      ...(made === undefined
        ? [`would restore ${plural(tree.rows.count - tree.ephemerals, 'node')}.  Nothing was written.`]
        : [
            ...made.aside.map((path) => `set aside ${path}`),
            `restored ${plural(made.nodes, 'node')} as server ${sid} into ${folders}`,
            `dropped ${sessionsText(made.sessionsDropped, made.ephemeralsDropped)}`,
            `ensemble ${made.ensembleId}, epoch ${made.epoch}; other members start with empty directories`,
          ]),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  if (made !== undefined) warnOfOwner(dataDir);
  return 0;
}
