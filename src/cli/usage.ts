import { TOPICS } from '../commands/help-topics.ts';
import { registry } from '../commands/index.ts';
import { foldPage } from '../out/fold.ts';
import { usage } from '../shell/failure.ts';
import { listing } from '../shell/help.ts';
import { completionScript, type OsShell, SHELLS } from './completion-scripts.ts';
import { globalHelp } from './globals.ts';
import { OUTER } from './outer.ts';
import { outWidth, showUsage } from './width.ts';

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
  process.stdout.write(foldPage(text, outWidth()).join('\n'));
  return 0;
}

const COMPLETION_USAGE = `usage: zoosh completion bash|zsh|fish
Prints what makes Tab complete commands, options and live znodes in that shell. For the shell that runs:
  source <(zoosh completion bash)     bash, and in ~/.bashrc for those to come
  source <(zoosh completion zsh)      zsh, behind compinit in ~/.zshrc
  zoosh completion fish | source      fish, and in ~/.config/fish/config.fish
Tab asks the servers that the line names, else those of the environment or the default profile, and gives up after 0.4s;
ZOOSH_COMPLETE_LIVE=0 asks none.`;

/** `zoosh completion SHELL`. @throws Failure (2) */
export function printCompletion([shell, more]: readonly string[]): number {
  if (more === undefined && (shell === '--help' || shell === '-h')) {
    showUsage(COMPLETION_USAGE);
    return 0;
  }
  if (shell === undefined || more !== undefined || !SHELLS.includes(shell as OsShell))
    throw usage('completion: say bash, zsh or fish', 'for example: source <(zoosh completion bash)');
  process.stdout.write(completionScript(shell as OsShell));
  return 0;
}
