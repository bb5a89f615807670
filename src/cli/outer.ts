/** What the program does besides the shell's commands. */
export interface OuterCommand {
  readonly name: string;
  readonly about: string;
  readonly usage: string;
  /** Words that may follow, for completion. */
  readonly words: readonly string[];
  readonly options: readonly string[];
}
export const OUTER: readonly OuterCommand[] = [
  {
    name: 'playground',
    about: 'a server in this process and a prompt on it, to try things',
    usage: 'playground [--data DIR] [--port PORT]',
    words: [],
    options: ['--data', '--port', '--help'],
  },
  {
    name: 'start',
    about: 'start a server: standalone, or server with a zoo.cfg',
    usage: 'start standalone|server ...',
    words: ['standalone', 'server'],
    options: ['--port', '--host', '--data', '--memory', '--config', '--set', '--log-level', '--log-format', '--help'],
  },
  { name: 'run', about: 'run a file of commands', usage: 'run FILE [ARG...]', words: [], options: [] },
  {
    name: 'completion',
    about: 'print the completion script of bash, zsh or fish',
    usage: 'completion bash|zsh|fish',
    words: ['bash', 'zsh', 'fish'],
    options: [],
  },
];
