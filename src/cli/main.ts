import { packageVersion } from '../platform/version.ts';

const USAGE = `zoosh: ZooKeeper in TypeScript

usage: zoosh start standalone [--port 2181] [--host 127.0.0.1] [--data DIR | --memory] [--set KEY=VALUE]...
       zoosh start server --config zoo.cfg [--set KEY=VALUE]...
       zoosh --version | --help

The interactive shell comes with a later version; until then any ZooKeeper client will do.
`;

/** argv to exit code. Rooms are loaded only when a command needs them. Nothing ends with a stack trace. */
export async function main(argv: string[]): Promise<number> {
  try {
    return await run(argv);
  } catch (error) {
    process.stderr.write(`error: unexpected failure, a bug of zoosh: ${(error as Error).message}\n`);
    return 70;
  }
}

async function run([command, ...rest]: string[]): Promise<number> {
  if (command === 'start') return (await import('./start.ts')).runStart(rest);
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  if (command === '--version' || command === '-V') {
    process.stdout.write(`zoosh ${packageVersion()}\n`);
    return 0;
  }
  process.stderr.write(`error: unknown command ${command}\n hint: zoosh --help lists what there is\n`);
  return 127;
}
