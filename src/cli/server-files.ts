import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION_2 } from '../offline/apache-place.ts';
import { historiesIn, makeDataDir } from '../operate/initialize.ts';
import type { DirectoryLock } from '../platform/lock.ts';
import { holdDirectory } from '../runtime/directory.ts';
import { lockable } from '../runtime/server-folders.ts';
import { StartError } from '../runtime/start-error.ts';
import { namedFiles } from '../server/config.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { userOf } from './directory-user.ts';
import { NOTHING_WRITTEN } from './dry-run.ts';
import { type Operation, settingsOf } from './operation.ts';
import { Safety } from './safety.ts';
import { UsageError } from './start-failures.ts';
import { isTypedByPerson } from './typed.ts';

const say = (text: string): void => void process.stdout.write(text);

const INITIALIZE_USAGE = (script: string, config: string): string => `usage: ${script} <parameters>
  Optional parameters:
     -h                                                    Display this message
     --help                                                Display this message
     --configfile=${config.padEnd(40)} ZooKeeper config file
     --myid=#                                              Set the myid to be used, if any (1-254)
     --force                                               Force creation of the data/txnlog dirs
`;

/** `initialize`. @throws Failure (30, 31) when it was not allowed */
export async function initialize(operation: Operation): Promise<number> {
  const { values, places, isApache } = operation;
  if (values.help === true) {
    say(INITIALIZE_USAGE(process.env.ZOOSH_SHIM ?? 'zoosh server initialize', places.config));
    return 1; // as Apache's script has it
  }
  const myid = values.myid === undefined ? undefined : Number(values.myid);
  if (myid !== undefined && (!/^\d{1,3}$/.test(values.myid ?? '') || myid < 1 || myid > 254))
    throw new UsageError(`--myid ${values.myid} is not a number from 1 to 254`);
  const last = settingsOf(operation);
  const { dataDir } = namedFiles(last);
  if (dataDir === undefined) throw new StartError(43, `Unable to determine dataDir from ${places.config}`);
  const dataLogDir = last.findLast(({ key }) => /^(?:zookeeper\.)?dataLogDir$/.test(key))?.value || dataDir;
  const there = historiesIn([dataDir, dataLogDir]);
  const isTaken = there.length > 0 || existsSync(join(dataDir, 'initialize'));
  if (isTaken && values.force !== true) {
    const dir =
      there.length === 0 || there.some((path) => path.startsWith(`${dataDir}/`))
        ? `data directory already exists at ${dataDir}`
        : `txnlog directory already exists at ${dataLogDir}`;
    const sentence = `ZooKeeper ${dir} (or use --force to force re-initialization)`;
    if (!isApache) throw new StartError(42, sentence);
    say(`${sentence}\n`);
    return 1;
  }
  const user = isTaken ? userOf(join(dataDir, VERSION_2), join(dataLogDir, VERSION_2)) : undefined;
  if (user !== undefined) throw new StorageRefusal(42, `${user}. Stop that server first`);
  const locks: DirectoryLock[] = [];
  try {
    // nobody starts on what is about to go
    for (const dir of isTaken ? lockable([dataDir, dataLogDir]) : []) locks.push(await holdDirectory(dir));
    return await begin({ dataDir, dataLogDir, there, myid }, operation);
  } finally {
    for (const lock of locks) lock.release();
  }
}

interface Place {
  readonly dataDir: string;
  readonly dataLogDir: string;
  /** Histories in them, which go. */
  readonly there: readonly string[];
  readonly myid: number | undefined;
}

/** @throws Failure (30, 31), StartError */
async function begin(place: Place, { values, isApache, yes, isDry }: Operation): Promise<number> {
  const { dataDir, dataLogDir, there, myid } = place;
  if (isDry) {
    for (const path of there) say(`would remove ${path}\n`);
    const folders = dataLogDir === dataDir ? dataDir : `${dataDir} and ${dataLogDir}`;
    const id = myid === undefined ? '' : `, with ${myid} in its myid`;
    say(`would make ${folders} for a new server${id}.${NOTHING_WRITTEN}\n`);
    return 0;
  }
  if (there.length > 0) {
    const safety = new Safety({
      canAsk: isTypedByPerson,
      yes: yes || isApache,
      isProtected: () => false,
      profile: () => undefined,
    });
    await safety.confirm(
      { what: `remove ${there.join(' and ')}`, path: dataDir, always: true, details: [] },
      'cluster',
    );
  }
  if (values.force === true) say('Force enabled, data/txnlog directories will be re-initialized\n');
  makeDataDir(dataDir, dataLogDir, myid);
  say(
    myid === undefined
      ? `No myid provided, be sure to specify it in ${dataDir}/myid if using non-standalone\n`
      : `Using myid of ${myid}\n`,
  );
  return 0;
}
