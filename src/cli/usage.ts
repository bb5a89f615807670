import { TOPICS } from '../commands/help-topics.ts';
import { registry } from '../commands/index.ts';
import { foldPage } from '../out/fold.ts';
import { usage } from '../shell/failure.ts';
import { listing } from '../shell/help.ts';
import { completionScript, type OsShell, SHELLS } from './completion-scripts.ts';
import { globalHelp } from './globals.ts';
import { OUTER } from './outer.ts';

/** `zoosh --help`. */
export async function usageText(): Promise<string> {
  const width = Math.max(...OUTER.map(({ usage: text }) => text.length));
  return `zoosh: a shell, a server and a client library for ZooKeeper

usage: zoosh [OPTION...] [TARGET]                    a prompt, or the script on standard input
       zoosh [OPTION...] [TARGET] COMMAND [ARG...]   one command
       zoosh [OPTION...] [TARGET] -c 'CMD; CMD'      several
       zoosh [OPTION...] [TARGET] FILE.zk [ARG...]   a file of commands; - is standard input
TARGET is host:port,... with an optional /chroot, or @profile.

${OUTER.map(({ usage: text, about }) => `  ${text.padEnd(width)}  ${about}`).join('\n')}

options, before the command:
${await globalHelp()}

commands, here and at the prompt:

${listing(registry.all, [...Object.keys(TOPICS), 'exit-codes'])}
`;
}

export async function printUsage(): Promise<number> {
  const text = await usageText();
  const width = process.stdout.isTTY === true ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;
  process.stdout.write(foldPage(text, width).join('\n'));
  return 0;
}

/** `zoosh completion SHELL`. @throws Failure (2) */
export function printCompletion([shell, more]: readonly string[]): number {
  if (shell === undefined || more !== undefined || !SHELLS.includes(shell as OsShell))
    throw usage('completion: say bash, zsh or fish', 'for example: source <(zoosh completion bash)');
  process.stdout.write(completionScript(shell as OsShell));
  return 0;
}
