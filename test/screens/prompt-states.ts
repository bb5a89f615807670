/** The prompt in each state that it tells: a protected profile, a transaction, a line that goes on, read-only, lost. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeConfig } from '../../src/config/config-file.ts';
import { startEmbedded } from '../../src/runtime/embed.ts';
import { BIN } from '../e2e/cli.ts';
import { Session } from '../editor/session.ts';
import { KEY, masked, type Patience, type Prompt, patiently, ROWS, stepper } from './prompts.ts';
import { faultsOf, TERMINALS, type Terminal } from './terminals.ts';

/** Every server behind it seems to be read-only: of the first answer the last byte says so. */
async function readOnlyFront(port: number): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const front = createServer((socket) => {
    const back = createConnection(port, '127.0.0.1');
    let isFirst = true;
    for (const each of [socket, back]) {
      sockets.add(each);
      each.on('error', () => {});
    }
    socket.pipe(back);
    back.on('data', (bytes) => {
      const size = 4 + bytes.readUInt32BE(0);
      if (isFirst) bytes[size - 1] = 1;
      isFirst = false;
      socket.write(bytes);
    });
    back.on('close', () => socket.destroy());
    socket.on('close', () => back.destroy());
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    port: (front.address() as { port: number }).port,
    close: () => {
      for (const each of sockets) each.destroy();
      front.close();
    },
  };
}

/** `prompt/states-80.txt`; as `drawPrompts` has it. */
export async function drawStates(
  columns: number,
  quietMs: number,
  kept: ReadonlyMap<string, string>,
  patience: Patience,
): Promise<Prompt> {
  const [terminal] = TERMINALS as readonly [Terminal];
  const file = `prompt/states-${columns}.txt`;
  const head = `=== ${columns} columns: ${terminal.name}; the cursor is |\n`;
  const home = mkdtempSync(join(tmpdir(), 'zoosh-prompt-'));
  const server = await startEmbedded({ logLevel: 'error' });
  const front = await readOnlyFront(Number(server.connectString.split(':')[1]));
  let isOver = false;
  let [done, received] = ['', ''];
  const open = (words: string): Session =>
    new Session({
      columns,
      rows: ROWS,
      sh: `exec ${process.execPath} ${BIN} ${patiently} ${words}`,
      env: { ...terminal.env, ZOOSH_HOME: home },
    });
  const isKept = (text: string): boolean => kept.get(file)?.startsWith(head + masked(done + text)) !== false;
  try {
    writeConfig(join(home, 'config', 'config.json'), {
      profiles: { prod: { server: server.connectString, protect: true } },
    });
    {
      using session = open(`-r 127.0.0.1:${front.port}`);
      const { step, seen } = stepper(session, quietMs, isKept, patience);
      await step('read-only', '', 'type help');
      session.type(KEY.end);
      await session.ended();
      done += seen.join('');
      received += session.screen.received;
    }
    using session = open('@prod');
    const { step, seen } = stepper(session, quietMs, isKept, patience);
    await step('a protected profile', '', 'type help');
    await step('in a transaction', `txn${KEY.enter}create /app x${KEY.enter}`, /2|create/);
    await step('a line that goes on', `${KEY.clear}set /app "a${KEY.enter}`, '...>');
    await step('out of it', `${KEY.over}${KEY.clear}abort${KEY.enter}`, 'forgot');
    session.type(KEY.clear);
    await server.stop();
    isOver = true;
    await step('lost', '', '(lost)');
    done += seen.join('');
    received += session.screen.received;
    return { file, text: head + masked(done), faults: faultsOf(received.replaceAll('\r', ''), terminal) };
  } finally {
    front.close();
    if (!isOver) await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}
