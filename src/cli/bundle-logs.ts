import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { tail } from '../operate/launch.ts';
import { AUDIT_NAME } from '../runtime/audit-log.ts';
import { OF_ZNODE } from '../runtime/limit-judge.ts';
import type { Operation } from './operation.ts';

const LOG_BYTES = 1 << 20;

/** The ends of a server's logs, each with its name in the bundle: those of the process that runs, and where they are by default. */
export function logsOf({ places, values }: Operation, pid: number | undefined): { name: string; text: string }[] {
  const out = (pid === undefined ? undefined : outputOf(pid)) ?? places.outFile;
  const file = values['log-file'] ?? (pid === undefined ? undefined : logFileOf(pid)) ?? places.logFile;
  const all: (readonly [string, string])[] = [
    ['server.out', out],
    ...(file === undefined || file === out ? [] : [['server.log', file] as const]),
  ];
  return all.flatMap(([name, path]) => [
    { name: `${name}.txt`, text: withoutZnodes(tail(path, LOG_BYTES)) },
    // what a file was before it made way a moment ago, and what an earlier server said
    { name: `${name}.1.txt`, text: withoutZnodes(tail(`${path}.1`, LOG_BYTES)) },
  ]);
}

/** As `server start` calls it: what somebody else's file has in it besides nobody knows. */
const OUT_NAME = /^zookeeper-.*-server-.*\.out$/;

/** Where a process writes what it says, if that is such a file; of another user's nobody can tell. */
function outputOf(pid: number): string | undefined {
  try {
    const path = readlinkSync(`/proc/${pid}/fd/2`);
    return OUT_NAME.test(basename(path)) && statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}

/** What the words of a process say of its log, seen from where it stands. */
function logFileOf(pid: number): string | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const at = words.findLastIndex((word) => /^--log-file(?:=|$)/.test(word));
    const said = words[at]?.includes('=') === true ? words[at].slice('--log-file='.length) : words[at + 1];
    return at < 0 || !said ? undefined : resolve(readlinkSync(`/proc/${pid}/cwd`), said);
  } catch {
    return undefined;
  }
}

/** Lines of the audit log say what znodes are called and who changed them, some warnings the former, which is nobody's business but the operator's. */
const withoutZnodes = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.includes(AUDIT_NAME) && !line.includes(OF_ZNODE))
    .join('\n');
