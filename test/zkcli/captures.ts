/** Recorded runs of zkCli, and what is left of a run once what differs every time is taken out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../test/zkcli/captures/', import.meta.url));

export interface Capture {
  /** The comment above it and the command line. */
  readonly title: string;
  readonly args: readonly string[];
  /** Lines typed; undefined for one command. */
  readonly stdin: readonly string[] | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

export function capturesOf(version: '3.8.0' | '3.10', group: string): Capture[] {
  const text = readFileSync(join(FOLDER, `zkcli-${version}-${group}.txt`), 'utf8');
  return text
    .split(/^={60,}\n/m)
    .slice(1)
    .map((block): Capture => {
      const match =
        /^((?:# .*\n)*)\$ (zkCli\.sh.*?)( +<<stdin\n([\s\S]*?)stdin)?\n--- stdout\n([\s\S]*?)--- stderr\n([\s\S]*?)--- exit (\d+)\n?$/.exec(
          block,
        );
      if (match === null) throw new Error(`not a capture: ${block}`);
      const [, comment = '', line = '', , input, stdout = '', stderr = '', exit = ''] = match;
      return {
        title: `${comment.replace(/^# /gm, '').trim()} ${line}`.trim(),
        args: splitWords(line).slice(1),
        stdin: input?.split('\n').slice(0, -1),
        stdout,
        stderr,
        exit: Number(exit),
      };
    });
}

/** Words as a POSIX shell has them, single quotes only. */
const splitWords = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');

const isSessionEvent = (line: string): boolean => /^WatchedEvent state:\w+ type:None path:null/.test(line);

/** Without the connect line, banner, session events, prompts, Java's frames; ids, times and hosts made alike. */
export function normalise(text: string): string {
  const lines = text
    .replace(/\[zk: [^\]]*\] /g, '')
    .replace(/^<no newline>\n/gm, '')
    .split('\n');
  // zkCli prints each half of an event with a blank line before it, and its other thread what it likes in between
  for (let at = lines.findIndex(isSessionEvent); at >= 0; at = lines.findIndex(isSessionEvent)) {
    lines.splice(at, 1);
    if (lines[at - 1] === '') lines.splice(at - 1, 1);
    const head = lines.lastIndexOf('WATCHER::', at - 1);
    if (head < 0) continue;
    lines.splice(head, 1);
    if (lines[head - 1] === '') lines.splice(head - 1, 1);
  }
  // of an event cut off by the end only the first half is there
  const last = lines.lastIndexOf('WATCHER::');
  if (last >= 0 && !lines.slice(last).some((line) => line.startsWith('WatchedEvent'))) {
    lines.splice(last, 1);
    if (lines[last - 1] === '') lines.splice(last - 1, 1);
  }
  return (
    lines
      .filter((line) => !/^(?:Connecting to |Welcome to ZooKeeper!|JLine support is|\tat |\t\.\.\. )/.test(line))
      // what we say besides zkCli's words
      .filter((line) => !line.startsWith('zoosh: '))
      .filter((line) => !/org\.jline\.utils\.Log|^WARNING: Unable to create a system terminal/.test(line))
      .join('\n')
      .replace(/\n+$/, '\n')
      .replace(/^\n$/, '')
      // the identities of a connection stand in a hash table in Apache's server
      .replace(/^(Auth scheme: User\n)((?:\w+: .*\n)+)/gm, (_whole, head: string, ids: string) => head + sorted(ids))
      .replace(/0x[0-9a-f]+/g, '0x?')
      .replace(/^([cm]time) = .*$/gm, '$1 = ?')
      .replace(/ zxid: -?\d+/g, ' zxid: ?')
      .replace(/127\.0\.0\.1:\d+/g, 'HOST')
      .replace(/^ZooKeeper CLI version: .*$/gm, 'ZooKeeper CLI version: ?')
  );
}

const sorted = (text: string): string =>
  text
    .split('\n')
    .slice(0, -1)
    .sort()
    .map((line) => `${line}\n`)
    .join('');
