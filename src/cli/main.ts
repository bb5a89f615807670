import { readFileSync } from 'node:fs';

const USAGE = `zoosh: ZooKeeper in TypeScript

usage: zoosh start standalone [--port 2181] [--host 127.0.0.1] [--data DIR | --memory] [--set KEY=VALUE]...
       zoosh start server --config zoo.cfg [--set KEY=VALUE]...
       zoosh --version | --help

The interactive shell comes with a later version; until then any ZooKeeper client will do.
`;

/** argv to exit code. Rooms are loaded only when a command needs them. */
export async function main(argv: string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === 'start') return (await import('./start.ts')).runStart(rest);
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  if (command === '--version' || command === '-V') {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    process.stdout.write(`zoosh ${version}\n`);
    return 0;
  }
  process.stderr.write(`error: unknown command ${command}\n hint: zoosh --help lists what there is\n`);
  return 127;
}
