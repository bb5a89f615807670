import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { plural } from '../base/counts.ts';
import { apachePlace } from '../offline/apache-place.ts';
import { beyondImport, beyondSentence } from '../offline/import-note.ts';
import { isPackedBackup, kindOf } from '../offline/snapshot-view.ts';
import { type Verified, verifyApache, verifyOwn } from '../offline/verify.ts';
import { nodeDisk } from '../platform/disk.ts';
import { holdDirectory } from '../runtime/directory.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { userOf } from './directory-user.ts';
import type { Globals } from './globals.ts';
import { WrongFile } from './offline-failures.ts';
import { oneWord, runOffline } from './offline-words.ts';

const COMMAND = {
  usage: `usage: zoosh verify DATADIR [--log-dir DIR]
       zoosh verify FILE
Reads every byte of a data directory, of a zoosh server or of Apache ZooKeeper or both, and changes nothing: snapshots, logs, who the
server is, whether it all fits together. 0 when everything is whole, 44 when something is not, 40 when something could not be looked
into, 42 when all is whole and an Apache server went on after import-apache. No server may run on it; a zoosh server that runs looks
after its files itself (scrub.interval). FILE is a backup, or a snapshot.`,
  options: { 'log-dir': { type: 'string' }, help: { type: 'boolean', short: 'h' } },
} as const;

/** `zoosh verify ...`. Returns the exit code. */
export const runVerify = (args: readonly string[], globals: Globals): Promise<number> =>
  runOffline(COMMAND, args, ({ values, words }) => {
    const dir = oneWord('verify', 'DATADIR', words);
    const isFile = statSync(dir, { throwIfNoEntry: false })?.isFile() === true;
    return isFile ? verifyOne(dir, globals) : run(resolve(dir), resolve(values['log-dir'] ?? dir), globals);
  });

/** As `snapshot verify`, for those who look for it here. */
async function verifyOne(file: string, globals: Globals): Promise<number> {
  const kind = kindOf(file);
  if (isPackedBackup(file)) throw new WrongFile(`${file} is compressed: gunzip it first`);
  if (kind === 'unknown') throw new WrongFile(`${file} is neither a data directory nor a backup`);
  const { runSnapshot } = await import('./snapshot-tool.ts');
  return runSnapshot(['verify', file], globals);
}

async function run(dataDir: string, logDir: string, globals: Globals): Promise<number> {
  const apache = apachePlace(dataDir, logDir);
  const user = apache === undefined ? undefined : userOf(apache.folders.log, apache.folders.data);
  if (user !== undefined) throw new StorageRefusal(42, `${user}. Stop that server first`);
  const all: Verified[] = [];
  const own = await verifyOurs(dataDir, logDir);
  if (own !== undefined) all.push(own);
  if (apache !== undefined) all.push(await verifyApache(nodeDisk, apache.folders));
  if (all.length === 0)
    throw new WrongFile(`${dataDir} is not a data directory: there is neither zoosh-1 nor version-2 in it`);
  const wrong = all.flatMap(({ findings }) => findings.filter(({ reason }) => reason !== undefined));
  const isWhole = wrong.length === 0;
  const beyond = await beyondImport(nodeDisk, dataDir, logDir);
  // whole, and yet no server starts from it
  const code = isWhole ? (beyond === undefined ? 0 : 42) : wrong.every(({ unread }) => unread) ? 40 : 44;
  if (globals.output === 'json' || globals.output === 'ndjson') {
    const told = all.map(({ findings, notes, state }) => ({
      findings,
      notes,
      state: state === undefined ? null : { ...state, zxid: `0x${state.zxid.toString(16)}` },
    }));
    const refused = beyond === undefined ? {} : { refused: beyondSentence(beyond, dataDir) };
    process.stdout.write(`${JSON.stringify({ whole: isWhole, ...refused, directories: told })}\n`);
    return code;
  }
  for (const { findings, notes, state } of all) {
    for (const { what, detail, reason, unread } of findings)
      process.stdout.write(
        reason === undefined
          ? `whole    ${what}: ${detail}\n`
          : `${unread === true ? 'UNREAD ' : 'DAMAGED'}  ${reason.includes(what) ? '' : `${what}: `}${reason}\n`,
      );
    for (const note of notes) process.stdout.write(`note     ${note}\n`);
    if (state !== undefined)
      process.stdout.write(
        `a server would start from ${plural(state.nodes, 'node')} and ${plural(state.sessions, 'session')} at zxid 0x${state.zxid.toString(16)}${state.lacksLogs === true ? ', unless there are logs in another directory (--log-dir)' : ''}\n`,
      );
  }
  if (beyond !== undefined) process.stdout.write(`REFUSED  ${beyondSentence(beyond, dataDir)}\n`);
  return code;
}

async function verifyOurs(dataDir: string, logDir: string): Promise<Verified | undefined> {
  const lock = await holdDirectory(dataDir);
  try {
    return await verifyOwn(nodeDisk, dataDir, logDir);
  } finally {
    lock.release();
  }
}
