/** argv to exit code. Rooms are loaded only when a command needs them: a one-shot command must not pay for a server. */
export async function main(argv: string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command === 'start') return (await import('./start.ts')).runStart(rest);
  process.stderr.write(`error: unknown command ${command ?? ''}\n`);
  return 127;
}
