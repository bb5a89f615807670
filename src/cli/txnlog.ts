import { resolve } from 'node:path';
import { ApacheDamage, FormatError } from '../apache/damage.ts';
import { readLogFile } from '../apache/read-log.ts';
import { decodeTxn } from '../apache/txn.ts';
import { chopApacheLog } from '../offline/chop-apache.ts';
import { chopOwnLog, isThere, readOwnLog } from '../offline/own-log.ts';
import { isUnbegunLog, kindOf } from '../offline/snapshot-view.ts';
import { jsonOf, lineOf, type ToldTxn, tellApache, tellOwn } from '../offline/txn-text.ts';
import { visibleLine } from '../out/data.ts';
import { nodeDisk } from '../platform/disk.ts';
import { Failure } from '../shell/failure.ts';
import { plural } from '../shell/units.ts';
import { refuseDryRun } from './dry-run.ts';
import type { Globals } from './globals.ts';
import { WrongFile } from './offline-failures.ts';
import { OfflineOutput } from './offline-output.ts';
import { oneWord, runOffline, type Said } from './offline-words.ts';
import { UsageError } from './start-failures.ts';

const COMMAND = {
  usage: `usage: zoosh txnlog [-d] FILE
       zoosh txnlog -c -z ZXID FILE
  -d          every transaction of a log, a line each; a broken one is marked, and ends it with 44
  -c -z ZXID  a copy up to and with that transaction: FILE.chopped
Logs of zoosh servers and of Apache ZooKeeper. With -o json a JSON object a line. A log is never given new checksums (-r of
zkTxnLogToolkit): what does not fit its checksum is not what was acknowledged. The server must not run while a log is chopped.`,
  options: {
    dump: { type: 'boolean', short: 'd' },
    chop: { type: 'boolean', short: 'c' },
    zxid: { type: 'string', short: 'z' },
    recover: { type: 'boolean', short: 'r' },
    verbose: { type: 'boolean', short: 'v' },
    yes: { type: 'boolean', short: 'y' },
    help: { type: 'boolean', short: 'h' },
  },
} as const;

/** `zoosh txnlog ...`. Returns the exit code. @throws Failure (30) */
export const runTxnlog = (args: readonly string[], globals: Globals): Promise<number> =>
  runOffline(COMMAND, args, (said) => run(said, globals));

async function run({ values, words }: Said<typeof COMMAND.options>, globals: Globals): Promise<number> {
  if (values.recover === true)
    throw new Failure(30, 'Refused', 'refused: a broken log is never given new checksums', {
      hint: 'a member is repaired by its leader; import-apache --accept-loss takes what is whole; -c -z chops before the damage',
    });
  const file = oneWord('txnlog', 'FILE', words);
  const kind = kindOf(file);
  const isJson = globals.output === 'json' || globals.output === 'ndjson';
  const isUnbegun = kind === 'unknown' && values.chop !== true && isUnbegunLog(file);
  if (!isUnbegun && kind !== 'zoosh log' && kind !== 'Apache log')
    throw new WrongFile(
      `${file} is ${kind === 'unknown' ? 'no transaction log' : `a ${kind.endsWith('backup') ? 'backup' : 'snapshot'}: zoosh snapshot info ${file} tells more`}`,
    );
  const isOwn = kind === 'zoosh log';
  if (values.chop === true) refuseDryRun('txnlog -c', globals);
  if (values.chop === true) return chop(resolve(file), isOwn, values.zxid);
  if (values.zxid !== undefined) throw new UsageError('txnlog: -z ZXID is where -c chops');
  if (!isUnbegun) return dump(resolve(file), isOwn, isJson);
  process.stderr.write(`warning: ${file} was being begun when its server ended: nothing is in it yet\n`);
  if (!isJson) process.stdout.write('EOF reached after 0 txns.\n');
  return 0;
}

const hex = (zxid: bigint): string => `0x${BigInt.asUintN(64, zxid).toString(16)}`;

async function dump(file: string, isOwn: boolean, isJson: boolean): Promise<number> {
  const out = new OfflineOutput();
  const tell = (txn: ToldTxn): void => out.line(isJson ? jsonOf(txn) : visibleLine(lineOf(txn)));
  try {
    if (isOwn) await dumpOwn(file, isJson, tell, out);
    else await dumpApache(file, isJson, tell, out);
  } finally {
    out.end();
  }
  return 0;
}

async function dumpOwn(file: string, isJson: boolean, tell: (txn: ToldTxn) => void, out: OfflineOutput): Promise<void> {
  const end = await readOwnLog(
    nodeDisk,
    file,
    (envelope) => tell(tellOwn(envelope)),
    () => out.rest(),
  );
  for (const note of end.notes) process.stderr.write(`warning: ${note}\n`);
  if (isJson) return;
  const { from, last, committed } = end;
  out.line(`EOF reached after ${end.entries} txns.`);
  out.line(`It goes on from ${hex(from)} to ${hex(last)}, known to be committed to ${hex(committed)}.`);
}

async function dumpApache(
  file: string,
  isJson: boolean,
  tell: (txn: ToldTxn) => void,
  out: OfflineOutput,
): Promise<void> {
  let broken: ApacheDamage | undefined;
  if (!isJson) out.line('ZooKeeper Transactional Log File with dbid 0 txnlog format version 2');
  const end = await readLogFile(
    nodeDisk,
    file,
    ({ offset, bytes, isWhole }) => {
      if (!isWhole) broken ??= new ApacheDamage(file, offset, 'the checksum of a transaction is wrong');
      try {
        const told = tellApache(decodeTxn(bytes));
        if (isWhole) tell(told);
        else
          out.line(
            isJson
              ? JSON.stringify({ broken: true, offset, ...JSON.parse(jsonOf(told)) })
              : `CRC ERROR - ${visibleLine(lineOf(told))}`,
          );
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        broken ??= new ApacheDamage(file, offset, error.message);
        out.line(
          isJson
            ? JSON.stringify({ broken: true, offset, reason: error.message })
            : `CRC ERROR - offset ${offset}: ${error.message}`,
        );
      }
    },
    () => out.rest(),
  );
  if (end.isTorn) process.stderr.write(`warning: ${file}, offset ${end.at}: a transaction that was never whole\n`);
  if (!isJson) out.line(`EOF reached after ${end.entries} txns.`);
  if (broken !== undefined) throw broken;
}

async function chop(file: string, isOwn: boolean, text: string | undefined): Promise<number> {
  if (text === undefined) throw new UsageError('txnlog -c needs -z ZXID, the last transaction to keep');
  if (!/^(?:0x[0-9a-f]{1,16}|\d{1,19})$/i.test(text))
    throw new UsageError(`txnlog: -z ${text} is not a zxid: say 0x1a or 26`);
  const zxid = BigInt.asIntN(64, BigInt(text));
  const into = `${file}.chopped`;
  try {
    const kept = isOwn ? await chopOwnLog(nodeDisk, file, into, zxid) : await chopApacheLog(nodeDisk, file, into, zxid);
    process.stdout.write(`${into}: ${plural(kept, 'transaction')}, to zxid 0x${zxid.toString(16)}\n`);
    return 0;
  } catch (error) {
    if (error instanceof RangeError) throw new WrongFile(error.message);
    if (isThere(error)) throw new WrongFile(`${into} is there already`);
    throw error;
  }
}
