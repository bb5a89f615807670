/** Data directories that no Apache server wrote: each is refused in a sentence with its place, or read; nothing else, and at once. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { adler32 } from '../../src/apache/adler.ts';
import { ApacheDamage, FormatError } from '../../src/apache/damage.ts';
import { loadApache } from '../../src/apache/load.ts';
import { readLogFile } from '../../src/apache/read-log.ts';
import { decodeTxn } from '../../src/apache/txn.ts';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { lineOf, tellApache } from '../../src/offline/txn-text.ts';
import { visibleLine } from '../../src/out/data.ts';
import { encodeTxn, logEntry, logHead } from '../apache/log-writer.ts';
import { goldenFiles, memoryDisk } from '../apache/memory-disk.ts';
import { ModelServer } from '../apache/model-server.ts';
import { stopwatch } from '../patience.ts';
import { noise } from './mutate.ts';

/** Of the processor, for one input: nothing in it may make anybody work longer. */
export const SLOW_MS = 100;
const FOLDERS = { data: '/v2', log: '/v2' };
const golden = goldenFiles();

/** Integers that end ranges or lie about lengths. */
const ODD = [0, 1, -1, -2, 47, 255, 65_536, 0x7fff_ffff, -0x8000_0000, 0x0400_0000, 0x0010_0000, -10, -11, 14, 21, 999];
/** A field or two turned into another, wherever one may begin. */
function twisted(random: Random, bytes: Buffer): Buffer {
  let copy = Buffer.from(bytes);
  for (let times = random.below(3); times >= 0 && copy.length > 4; times--) {
    const at = random.below(copy.length - 3);
    const what = random.below(6);
    if (what < 3) copy.writeInt32BE(ODD[random.below(ODD.length)] as number, at);
    else if (what === 3) copy[at] = random.below(256);
    else if (what === 4) copy = copy.subarray(0, at);
    else copy = Buffer.concat([copy.subarray(0, at), copy.subarray(Math.max(0, at - random.below(40)))]);
  }
  return copy;
}
/** A snapshot's seal made right again for other content. */
function sealed(content: Buffer): Buffer {
  const seal = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 47]);
  seal.writeBigInt64BE(BigInt(adler32(content)), 0);
  return Buffer.concat([content, seal]);
}
/** snappy-java's stream of literals. */
function snappied(bytes: Buffer): Buffer {
  const parts = [Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])];
  for (let at = 0; at < bytes.length; at += 60) {
    const literal = bytes.subarray(at, at + 60);
    const block = Buffer.concat([Buffer.from([literal.length, (literal.length - 1) << 2]), literal]);
    const head = Buffer.alloc(4);
    head.writeInt32BE(block.length);
    parts.push(head, block);
  }
  return Buffer.concat(parts);
}

interface Scene {
  readonly snapshot: Buffer;
  readonly began: bigint;
  readonly txns: readonly Buffer[];
  readonly first: bigint;
}
function scene(random: Random): Scene {
  const server = new ModelServer(random, 0n, random.below(2) === 0);
  for (let i = 0; i < 20; i++) server.step();
  const began = server.zxid;
  const snapshot = server.fuzzy(() => server.step(), random.below(2) === 0);
  return { snapshot, began, txns: server.log.map(encodeTxn), first: 1n };
}
const logOf = (txns: readonly Buffer[]): Buffer => Buffer.concat([logHead(), ...txns.map(logEntry), Buffer.alloc(300)]);

/** A folder of which something is not as it was written. */
function spoilt(random: Random, { snapshot, began, txns }: Scene): Map<string, Buffer> {
  const name = `snapshot.${began.toString(16)}`;
  const files = new Map([
    [name, snapshot],
    ['log.1', logOf(txns)],
  ]);
  switch (random.below(8)) {
    case 0:
      files.set('log.1', noise(random, files.get('log.1') as Buffer));
      break;
    case 1:
    case 2: {
      // transactions with right checksums
      const bad = txns.map((txn) => (random.below(12) === 0 ? twisted(random, txn) : txn));
      files.set('log.1', logOf(bad));
      break;
    }
    case 3:
      files.set('log.1', twisted(random, files.get('log.1') as Buffer));
      break;
    case 4:
      files.set(name, noise(random, snapshot));
      break;
    case 5:
      files.set(name, sealed(twisted(random, snapshot.subarray(0, -13))));
      break;
    case 6: {
      files.delete(name);
      const packed = random.below(2) === 0 ? gzipSync(twisted(random, snapshot)) : snappied(twisted(random, snapshot));
      files.set(`${name}.gz`, random.below(2) === 0 ? packed : twisted(random, packed));
      break;
    }
    default: {
      files.clear();
      const [gz, snappy] = [golden.get('snapshot.34.gz') as Buffer, golden.get('snapshot.3c.snappy') as Buffer];
      files.set('snapshot.34.gz', random.below(2) === 0 ? gz : twisted(random, gz));
      files.set('snapshot.3c.snappy', random.below(2) === 0 ? noise(random, snappy) : twisted(random, snappy));
      for (const log of ['log.35', 'log.3d']) files.set(log, (golden.get(log) as Buffer).subarray(0, 1500));
    }
  }
  return files;
}

/** Read, or why not. */
async function outcomeOf(files: Map<string, Buffer>, acceptLoss: boolean, which: string): Promise<string> {
  const disk = memoryDisk('/v2', files);
  try {
    await loadApache(disk, FOLDERS, { acceptLoss });
    for (const [name] of files)
      if (name.startsWith('log.'))
        await readLogFile(disk, `/v2/${name}`, ({ bytes }) => {
          try {
            assert.ok(!/[\n\u001b]/.test(visibleLine(lineOf(tellApache(decodeTxn(bytes))))));
          } catch (error) {
            if (!(error instanceof FormatError)) throw error;
          }
        });
    return 'read';
  } catch (error) {
    assert.ok(error instanceof ApacheDamage, `${which}: ${(error as Error).stack}`);
    return error.reason.replace(/-?\d+|0x[0-9a-f]+|\/\S*|"[^"]*"/g, 'N').slice(0, 60);
  }
}

export interface ApacheFuzz {
  /** By what became of it; sentences of refusal without what differs from directory to directory. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Of work, ms. */
  readonly slowestMs: number;
}
/** @throws AssertionError with seed and number when reading one throws what is no sentence */
export async function fuzzApache(
  count: number,
  seed: number,
  progress: (inputs: number) => void = () => {},
): Promise<ApacheFuzz> {
  const outcomes = new Map<string, number>();
  let slowestMs = 0;
  let at = scene(seededRandom(seed));
  for (let i = 0; i < count; i++) {
    const random = seededRandom(seed + i);
    if (i % 50 === 0) at = scene(random);
    const files = spoilt(random, at);
    const acceptLoss = random.below(2) === 0;
    let took = Number.POSITIVE_INFINITY;
    let outcome = '';
    // one that is slow is slow every time; the machine has others to serve
    for (let again = 0; again < 4 && took >= SLOW_MS; again++) {
      const spent = stopwatch();
      outcome = await outcomeOf(files, acceptLoss, `ZOOSH_SEED=${seed} at ${i}`);
      took = Math.min(took, spent());
    }
    slowestMs = Math.max(slowestMs, took);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (i % 1000 === 0) progress(i);
  }
  return { outcomes, slowestMs };
}
