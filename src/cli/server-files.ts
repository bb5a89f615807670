import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { askMember } from '../ensemble/control-client.ts';
import { historiesIn, makeDataDir } from '../operate/initialize.ts';
import { holdDirectory, tryDirectory } from '../runtime/directory.ts';
import { loadTree, ownId } from '../runtime/load.ts';
import { REAL_PORTS } from '../runtime/node-options.ts';
import { StartError } from '../runtime/start-error.ts';
import { namedFiles } from '../server/config.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { NOTHING_WRITTEN } from './dry-run.ts';
import { loadConfig, type Operation } from './operation.ts';
import { isTypedByPerson, Safety } from './safety.ts';
import { settingsIn, UsageError } from './start-failures.ts';

const say = (text: string): void => void process.stdout.write(text);
const LEAST_KEPT = 3;

const INITIALIZE_USAGE = (script: string, config: string): string => `usage: ${script} <parameters>
  Optional parameters:
     -h                                                    Display this message
     --help                                                Display this message
     --configfile=${config.padEnd(40)} ZooKeeper config file
     --myid=#                                              Set the myid to be used, if any (1-254)
     --force                                               Force creation of the data/txnlog dirs
`;

/** `initialize`. @throws Failure (30, 31) when it was not allowed */
export async function initialize({ values, places, isApache, yes, isDry }: Operation): Promise<number> {
  if (values.help === true) {
    say(INITIALIZE_USAGE(process.env.ZOOSH_SHIM ?? 'zoosh server initialize', places.config));
    return 1; // as Apache's script has it
  }
  const myid = values.myid === undefined ? undefined : Number(values.myid);
  if (myid !== undefined && (!/^\d{1,3}$/.test(values.myid ?? '') || myid < 1 || myid > 254))
    throw new UsageError(`--myid ${values.myid} is not a number from 1 to 254`);
  const last = settingsIn(places.config);
  const { dataDir } = namedFiles(last);
  if (dataDir === undefined) throw new StartError(43, `Unable to determine dataDir from ${places.config}`);
  const dataLogDir = last.findLast(({ key }) => /^(?:zookeeper\.)?dataLogDir$/.test(key))?.value || dataDir;
  const there = historiesIn([dataDir, dataLogDir]);
  if (there.length > 0 || existsSync(join(dataDir, 'initialize'))) {
    if (values.force !== true) {
      const dir =
        there.length === 0 || there.some((path) => path.startsWith(`${dataDir}/`))
          ? `data directory already exists at ${dataDir}`
          : `txnlog directory already exists at ${dataLogDir}`;
      const sentence = `ZooKeeper ${dir} (or use --force to force re-initialization)`;
      if (!isApache) throw new StartError(42, sentence);
      say(`${sentence}\n`);
      return 1;
    }
    if (existsSync(dataDir)) (await holdDirectory(dataDir)).release();
  }
  if (isDry) {
    for (const path of there) say(`would remove ${path}\n`);
    const folders = dataLogDir === dataDir ? dataDir : `${dataDir} and ${dataLogDir}`;
    const id = myid === undefined ? '' : `, with ${myid} in its myid`;
    say(`would make ${folders} for a new server${id}.${NOTHING_WRITTEN}\n`);
    return 0;
  }
  if (there.length > 0) {
    const safety = new Safety({
      canAsk: isTypedByPerson(),
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

const CLEANUP_USAGE = `Usage:
PurgeTxnLog dataLogDir [snapDir] -n count
\tdataLogDir -- path to the txn log directory
\tsnapDir -- path to the snapshot directory
\tcount -- the number of old snaps/logs you want to keep, value should be greater than or equal to 3
`;

/** A server that runs removes its files itself: it knows what it needs. */
async function cleanRunning(dataDir: string, control: string | undefined, keep: number): Promise<number> {
  try {
    if (control === undefined) throw new Error('the path of dataDir is too long for one');
    const { removed, count } = await askMember(control, { op: 'purge', keep });
    for (const name of removed) say(`Removing file: ${name}\n`);
    if (count > removed.length) say(`and ${count - removed.length} more\n`);
    return 0;
  } catch (error) {
    throw new StorageRefusal(
      42,
      `a zoosh server uses ${dataDir}, and only it may remove its files; its control socket does not answer (${(error as Error).message}): set autopurge.purgeInterval=1, or stop it first`,
    );
  }
}

/** `cleanup -n COUNT`: as autopurge does; a server that runs does it itself. */
export async function cleanup(operation: Operation): Promise<number> {
  const { values, isApache } = operation;
  const refuse = (reason: string): number => {
    if (!isApache) throw new UsageError(`server cleanup: ${reason || 'say -n COUNT'}`);
    say(CLEANUP_USAGE);
    if (reason !== '') process.stderr.write(`${reason}\n`);
    return 1;
  };
  if (values.count === undefined) return refuse('');
  const { config, control } = loadConfig(operation);
  const { dataDir, dataLogDir } = config;
  // in the order in which Apache's tool finds out
  if (!existsSync(dataDir) && !isApache)
    throw new StartError(
      40,
      `the data directory ${dataDir} does not exist; correct dataDir in ${operation.places.config}`,
    );
  if (!existsSync(dataDir)) return refuse(`Path '${dataDir}' does not exist. `);
  if (!/^-?\d{1,9}$/.test(values.count)) return refuse(`'${values.count}' can not be parsed to integer.`);
  const keep = Number(values.count);
  if (keep < LEAST_KEPT) return refuse('count should be greater than or equal to 3');
  const lock = await tryDirectory(dataDir);
  if (lock === undefined) {
    if (config.purgeIntervalMs > 0) {
      process.stderr.write('the server runs, and removes old files by itself (autopurge.purgeInterval)\n');
      return 0;
    }
    return cleanRunning(dataDir, control, keep);
  }
  try {
    if (historiesIn([dataDir, dataLogDir]).every((path) => !path.endsWith('zoosh-1'))) return 0;
    // everything is read and verified first: what is kept must be enough
    const { storage } = await loadTree(config, ownId(config), false, 1, REAL_PORTS);
    try {
      const [damaged] = storage.damage?.sentences ?? [];
      if (damaged !== undefined) throw new StorageRefusal(44, damaged);
      for (const name of await storage.purge(keep)) say(`Removing file: ${name}\n`);
    } finally {
      await storage.close();
    }
    return 0;
  } finally {
    lock.release();
  }
}
