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

/** Without the connect line, banner, session events, prompts, Java's frames; ids, times and hosts made alike. */
export function normalise(text: string): string {
  const lines = text
    .replace(/\[zk: [^\]]*\] /g, '')
    .replace(/^<no newline>\n/gm, '')
    .split('\n');
  for (let at = lines.length - 1; at >= 0; at--) {
    if (!/^WatchedEvent state:\w+ type:None path:null/.test(lines[at] as string)) continue;
    // the blocks of zkCli's two threads may stand in one another
    lines.splice(at, 1);
    if (lines[at - 1] === '') lines.splice(--at, 1);
    const head = lines.lastIndexOf('WATCHER::', at);
    lines.splice(head, 1);
    if (lines[head] === '' && lines[at - 2] !== 'WATCHER::') lines.splice(head, 1);
    if (lines[head - 1] === '') lines.splice(head - 1, 1);
    at = Math.min(at, lines.length);
  }
  return lines
    .filter((line) => !/^(?:Connecting to |Welcome to ZooKeeper!|JLine support is|\tat |\t\.\.\. )/.test(line))
    .filter((line) => !/org\.jline\.utils\.Log|^WARNING: Unable to create a system terminal/.test(line))
    .join('\n')
    .replace(/0x[0-9a-f]+/g, '0x?')
    .replace(/^([cm]time) = .*$/gm, '$1 = ?')
    .replace(/ zxid: -?\d+/g, ' zxid: ?')
    .replace(/127\.0\.0\.1:\d+/g, 'HOST')
    .replace(/^ZooKeeper CLI version: .*$/gm, 'ZooKeeper CLI version: ?');
}
