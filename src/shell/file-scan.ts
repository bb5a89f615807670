import { statSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

/** A pipe, a terminal: what is read of it is gone, so that nobody can look first. */
export function isReadOnce(file: string): boolean {
  try {
    const found = statSync(file);
    return !found.isFile() && !found.isDirectory();
  } catch {
    return false; // whoever reads it says so
  }
}

/** Whether the bytes of a file hold a text; what is compressed is looked into. Folders may: true. @throws the signal's reason */
export async function fileHolds(file: string, text: string, signal: AbortSignal): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return false; // whoever reads it says so
  if (found.isDirectory()) return true;
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return false;
  const wanted = Buffer.from(text);
  const start = Buffer.alloc(2);
  await handle.read(start, 0, 2, 0);
  const raw = handle.createReadStream({ start: 0, highWaterMark: 128 * 1024 });
  const isPacked = start[0] === 0x1f && start[1] === 0x8b;
  let tail = Buffer.alloc(0);
  try {
    for await (const chunk of (isPacked ? raw.pipe(createGunzip()) : raw) as AsyncIterable<Buffer>) {
      if (signal.aborted) return false;
      if (Buffer.concat([tail, chunk.subarray(0, wanted.length)]).includes(wanted) || chunk.includes(wanted))
        return true;
      tail = Buffer.from(chunk.subarray(-wanted.length));
    }
    return false;
  } catch {
    return false; // damage is told by whoever reads it
  } finally {
    raw.destroy();
    await handle.close().catch(() => {});
    signal.throwIfAborted();
  }
}
