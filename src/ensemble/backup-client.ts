import { connect, type Socket } from 'node:net';
import { type BackupAnnouncement, type ControlAnswer, MAX_CONTROL_LINE } from '../runtime/control-messages.ts';
import { ControlError } from './control-client.ts';

/** Until the snapshot is written and verified, which takes a member under load its time; and between two pieces of it. */
const FIRST_MS = 30 * 60_000;
const NEXT_MS = 60_000;
const LINE_END = 0x0a;

/**
 * Asks a member over its control socket for a backup. `take` is given the bytes in order, and waited for. @throws ControlError when
 * the member says no, Error with an errno `code` when it does not answer or ends early
 */
export async function fetchBackup(
  path: string,
  take: (piece: Buffer) => Promise<void>,
  { firstMs = FIRST_MS, nextMs = NEXT_MS, signal }: BackupLimits = {},
): Promise<BackupAnnouncement> {
  const socket = connect(path);
  const end = (): void => void socket.destroy(signal?.reason as Error);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted === true) end();
  const fail = (code: string, message: string): Error => Object.assign(new Error(message), { code });
  socket.setTimeout(firstMs, () => socket.destroy(fail('ETIMEDOUT', 'it says nothing more')));
  socket.write('{"op":"backup"}\n');
  try {
    const pieces = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const { answer, rest } = await firstLine(pieces);
    if (answer === undefined) throw fail('ECONNRESET', 'it hung up');
    if (!answer.ok) throw new ControlError(answer.error);
    const announced = answer.result as BackupAnnouncement;
    socket.setTimeout(nextMs);
    let left = announced.bytes - rest.length;
    if (rest.length > 0) await taken(socket, take, rest);
    while (left > 0) {
      const { value, done } = await pieces.next();
      if (done === true) throw fail('ECONNRESET', `it hung up with ${left} bytes to come`);
      left -= value.length;
      await taken(socket, take, value);
    }
    if (left < 0) throw fail('EPROTO', 'it sent more than it announced');
    return announced;
  } finally {
    signal?.removeEventListener('abort', end);
    socket.destroy();
  }
}

interface BackupLimits {
  readonly firstMs?: number;
  readonly nextMs?: number;
  /** Given up: its reason is what is thrown. */
  readonly signal?: AbortSignal;
}

/** Whoever is slow to take what came is not to be mistaken for a member that sends nothing. */
async function taken(socket: Socket, take: (piece: Buffer) => Promise<void>, piece: Buffer): Promise<void> {
  const { timeout = 0 } = socket;
  socket.setTimeout(0);
  await take(piece);
  socket.setTimeout(timeout);
}

async function firstLine(
  pieces: AsyncIterator<Buffer>,
): Promise<{ readonly answer: ControlAnswer | undefined; readonly rest: Buffer }> {
  let head = Buffer.alloc(0);
  while (head.length <= MAX_CONTROL_LINE) {
    const { value, done } = await pieces.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
    const end = head.indexOf(LINE_END);
    if (end < 0) continue;
    return { answer: JSON.parse(head.toString('utf8', 0, end)) as ControlAnswer, rest: head.subarray(end + 1) };
  }
  return { answer: undefined, rest: head };
}
