import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchBackup } from '../ensemble/backup-client.ts';
import { type BackupDescription, type BackupSource, BackupWriter, PAGE } from '../offline/backup-file.ts';
import { whyNotMade } from '../operate/whose.ts';
import { nodeDisk } from '../platform/disk.ts';
import { DiskError } from '../ports/disk.ts';
import { StartError } from '../runtime/start-error.ts';
import { parseSize, plural } from '../shell/units.ts';
import { controlFailure, knownControl } from './control-words.ts';
import { abortOnSignals, Interrupted } from './interrupt.ts';
import { loadConfig, type Operation } from './operation.ts';
import { UsageError } from './start-failures.ts';
import { errorText } from './width.ts';

/** `backup FILE`, of a server that runs. */
export async function backup(operation: Operation): Promise<number> {
  const { word, values } = operation;
  if (word === undefined) throw new UsageError('backup: FILE is missing');
  // what was written is read again before it counts, which no pipe can be
  if (word === '-')
    throw new UsageError('backup: - is not a file, and a backup is read again once it is written: name a file');
  const path = resolve(word);
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined)
    throw new StartError(
      42,
      there.isDirectory() ? `${path} is a folder: name a file in it` : `${path} is there already`,
    );
  const rate = rateOf(values.rate);
  const control = knownControl(values.control ?? loadConfig(operation).control);
  const description = await written(path, (...take) => fromControl(control, ...take), rate).catch((error: unknown) => {
    if (error instanceof Interrupted) return error;
    throw error;
  });
  if (description instanceof Interrupted) {
    process.stderr.write(errorText('interrupted: there is no backup'));
    return description.exitCode;
  }
  process.stdout.write(
    operation.isJson ? `${JSON.stringify({ file: path, ...description })}\n` : told(path, description),
  );
  return 0;
}

/** Bytes a second. @throws UsageError */
function rateOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    const bytes = parseSize(text);
    if (bytes > 0) return bytes;
  } catch {
    // told below
  }
  throw new UsageError(`backup: --rate ${text} is not a size, such as 20M`);
}

const cannotWrite = (path: string, error: DiskError): StartError =>
  new StartError(40, `${path} cannot be written: ${whyNotMade(path, error)}`);

type Take = (piece: Buffer) => Promise<void>;
async function written(
  path: string,
  fetch: (take: Take, signal: AbortSignal) => Promise<BackupSource>,
  rate: number | undefined,
): Promise<BackupDescription> {
  // a part of a backup is of no use, and may be as large as the whole
  using ended = abortOnSignals();
  const writer = await BackupWriter.create(nodeDisk, path, `${path}.${process.pid}.tmp`).catch((error: unknown) => {
    throw error instanceof DiskError ? cannotWrite(path, error) : error;
  });
  const began = performance.now();
  try {
    const source = await fetch(async (piece) => {
      await writer.write(piece);
      const due = rate === undefined ? 0 : (writer.received / rate) * 1000 - (performance.now() - began);
      if (due > 0) await sleep(due, undefined, { signal: ended.signal }).catch(() => undefined);
    }, ended.signal);
    ended.signal.throwIfAborted(); // behind the last piece nobody else looks
    return await writer.finish(source);
  } catch (error) {
    await writer.discard().catch(() => undefined);
    if (error instanceof DiskError) throw cannotWrite(path, error);
    throw error;
  }
}

async function fromControl(control: string, take: Take, signal: AbortSignal): Promise<BackupSource> {
  try {
    const { sid: server, epoch, takenAt, version } = await fetchBackup(control, take, { signal });
    return { server, epoch, takenAt, version };
  } catch (error) {
    if (error instanceof DiskError || error instanceof Interrupted) throw error;
    throw controlFailure('no backup came from the server', control, error);
  }
}

const told = (path: string, { zxid, nodes, sessions, bytes, digest, ensembleId, epoch }: BackupDescription): string =>
  [
    `backed up ${plural(nodes, 'node')} and ${plural(sessions, 'session')} at zxid ${zxid} to ${path}, ${PAGE + bytes} bytes, read again and whole`,
    `ensemble ${ensembleId}, epoch ${epoch}, digest ${digest}`,
    '',
  ].join('\n');
