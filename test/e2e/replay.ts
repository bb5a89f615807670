/** Replays the bytes captured from a real server, by the newer rule where later servers differ. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect as dial, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Client, connect } from '../../src/index.ts';
import { Reader } from '../../src/protocol/bytes.ts';
import { Acl, ClientInfo } from '../../src/protocol/data.ts';
import { type Kind, list, text } from '../../src/protocol/record.ts';
import { respond } from '../../src/sasl/digest-md5.ts';
import { PATIENCE_MS, timely } from '../patience.ts';

const HERE = fileURLToPath(new URL('../../../test/vectors/', import.meta.url));
/** Some nodes of the vectors live for 400 ms, some sessions for a second: a step that takes longer may be too late. */
const SLOW_MS = 200;
const NEWER: Readonly<Record<string, Readonly<Record<number, number | null>>>> = {
  'acl-creator-only': { 8: -102 },
  'acl-single-bits': { 24: -102, 35: -102, 46: -102, 57: -102, 68: -102 },
  'remove-watches-bad-type': { 3: -121 },
  'multi-read-with-write': { 3: -5 },
  'multi-ok': { 3: null },
};
interface Volatile {
  offset: number;
  length: number;
  kind: string;
  symbol: string;
  elements: string;
}
interface Step {
  conn: string;
  control?: string;
  /** Of an ensemble: which member is connected to. */
  server?: number;
  ms?: number;
  send?: string;
  expect?: string;
  expectUntilClose?: string;
  match?: string;
  volatile?: Volatile[];
  patch?: Volatile[];
  compute?: { kind: 'digest-md5'; user: string; password: string };
}

class Conn {
  private bytes = Buffer.alloc(0);
  private ended = false;
  private wake: () => void = () => {};
  private readonly socket: Socket;
  constructor(port: number) {
    this.socket = dial(port, '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this.wake();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.ended = true;
      this.wake();
    });
    this.socket.on('end', () => {
      this.ended = true;
      this.wake();
    });
  }
  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }
  private async until(done: () => boolean): Promise<void> {
    const limit = setTimeout(() => {
      this.ended = true;
      this.wake();
    }, PATIENCE_MS);
    while (!done() && !this.ended) await new Promise<void>((resolve) => (this.wake = resolve));
    clearTimeout(limit);
  }
  async frame(): Promise<Buffer> {
    await this.until(() => this.bytes.length >= 4 && this.bytes.length >= 4 + this.bytes.readInt32BE(0));
    assert.ok(this.bytes.length >= 4, 'closed instead of a frame');
    const end = 4 + this.bytes.readInt32BE(0);
    const frame = this.bytes.subarray(0, end);
    this.bytes = this.bytes.subarray(end);
    return frame;
  }
  async rest(): Promise<Buffer> {
    await this.until(() => this.ended);
    return this.bytes;
  }
  close(): void {
    this.socket.destroy();
  }
}

const ELEMENTS: Readonly<Record<string, Kind<unknown>>> = { ustring: text, ACL: Acl, ClientInfo } as never;
const canonical = (raw: Buffer, elements: string): string[] => {
  const kind = ELEMENTS[elements];
  assert.ok(kind, `elements ${elements}`);
  return (list(kind).read(new Reader(raw)) ?? []).map((each) => JSON.stringify(each)).sort();
};

class Binder {
  readonly values = new Map<string, Buffer>();
  bind(symbol: string, raw: Buffer): void {
    if (symbol === 'time:any' || symbol === 'token:any') return;
    const old = this.values.get(symbol);
    if (old !== undefined) {
      assert.deepEqual(raw, old, `${symbol} changed`);
      return;
    }
    if (/^zxid\d/.test(symbol)) this.order(symbol, raw);
    if (symbol.startsWith('session'))
      for (const [name, value] of this.values)
        if (name.startsWith('session')) assert.notDeepEqual(raw, value, `${name} is ${symbol}`);
    this.values.set(symbol, raw);
  }
  private order(symbol: string, raw: Buffer): void {
    const n = Number(symbol.slice(4));
    const value = raw.readBigInt64BE();
    assert.ok(value > 0n, `${symbol} is not positive`);
    for (const [name, other] of this.values) {
      if (!/^zxid\d/.test(name)) continue;
      const before = Number(name.slice(4)) < n;
      const theirs = other.readBigInt64BE();
      assert.ok(before ? theirs < value : theirs > value, `${symbol} is out of order with ${name}`);
    }
  }
}

/** True when `got` is what a server after 3.8 must answer here. */
function isNewer(name: string, at: number, want: Buffer, got: Buffer, caughtUp: boolean): boolean {
  const rule = NEWER[name]?.[at];
  if (rule !== undefined) {
    assert.deepEqual(got.subarray(4, 8), want.subarray(4, 8));
    if (rule === null) assert.deepEqual(got.subarray(16, 20), want.subarray(16, 20));
    else {
      assert.equal(got.length, 20);
      assert.equal(got.readInt32BE(16), rule);
    }
    return true;
  }
  const isEvent = want.length > 20 && want.subarray(4, 16).every((byte) => byte === 0xff);
  if (!isEvent || caughtUp || !got.subarray(4, 8).equals(want.subarray(4, 8))) return false;
  assert.ok(got.readBigInt64BE(8) > 0n, 'an event carries the zxid of the change');
  assert.deepEqual(Buffer.concat([got.subarray(0, 8), want.subarray(8, 16), got.subarray(16)]), want);
  return true;
}

function compare(step: Step, got: Buffer, binder: Binder): void {
  const want = Buffer.from(step.expect ?? '', 'hex');
  if (step.match === 'header') {
    assert.deepEqual(got.subarray(4, 8), want.subarray(4, 8));
    assert.deepEqual(got.subarray(16, 20), want.subarray(16, 20));
    return;
  }
  assert.equal(got.length, want.length, `got ${got.toString('hex')} want ${want.toString('hex')}`);
  let at = 0;
  for (const entry of [...(step.volatile ?? [])].sort((a, b) => a.offset - b.offset)) {
    if (entry.offset < at) continue;
    const end = entry.offset + entry.length;
    assert.equal(got.subarray(at, entry.offset).toString('hex'), want.subarray(at, entry.offset).toString('hex'));
    const mine = got.subarray(entry.offset, end);
    if (entry.kind === 'unordered')
      assert.deepEqual(canonical(mine, entry.elements), canonical(want.subarray(entry.offset, end), entry.elements));
    else binder.bind(entry.symbol, Buffer.from(mine));
    at = end;
  }
  assert.equal(got.subarray(at).toString('hex'), want.subarray(at).toString('hex'));
}

/** The request again, its token an answer to the challenge in the frame before. */
function answered(request: Buffer, { user, password }: NonNullable<Step['compute']>, before: Buffer): Buffer {
  const { token } = respond(before.subarray(24), user, password, 'cnonce') ?? assert.fail('no challenge');
  const frame = Buffer.concat([request.subarray(0, 12), Buffer.alloc(4), token]);
  frame.writeInt32BE(frame.length - 4, 0);
  frame.writeInt32BE(token.length, 12);
  return frame;
}

/** What became of the time of one replay. */
interface Pace {
  isSlow: boolean;
}

async function replay(name: string, steps: readonly Step[], ports: readonly number[], pace: Pace): Promise<void> {
  const binder = new Binder();
  const conns = new Map<string, Conn>();
  const sent = new Map<string, number>();
  const heard = new Map<string, Buffer>();
  let last = performance.now();
  try {
    for (const [at, step] of steps.entries()) {
      const conn = conns.get(step.conn) as Conn;
      if (step.control === 'open') conns.set(step.conn, new Conn(ports[(step.server ?? 1) - 1] as number));
      else if (step.control === 'sleep') {
        pace.isSlow = true; // what time does meanwhile a server that stood still does later
        await new Promise((resolve) => setTimeout(resolve, step.ms));
      } else if (step.control === 'drop') conn.close();
      else if (step.control === 'expectClose')
        assert.equal((await conn.rest()).length, 0, `step ${at}: bytes before the close`);
      else {
        if (step.send !== undefined) {
          let bytes: Buffer = Buffer.from(step.send, 'hex');
          for (const { symbol, offset } of step.patch ?? []) (binder.values.get(symbol) as Buffer).copy(bytes, offset);
          if (step.compute !== undefined) bytes = answered(bytes, step.compute, heard.get(step.conn) as Buffer);
          conn.send(bytes);
          if (bytes.length >= 12) sent.set(step.conn, bytes.readInt32BE(8));
        }
        if (step.expectUntilClose !== undefined)
          assert.match((await conn.rest()).toString(), new RegExp(step.match?.slice('regex:'.length) ?? '', 's'));
        if (step.expect !== undefined) {
          const got = await conn.frame();
          heard.set(step.conn, got);
          const caughtUp = [101, 105].includes(sent.get(step.conn) ?? 0);
          if (!isNewer(name, at, Buffer.from(step.expect, 'hex'), got, caughtUp)) compare(step, got, binder);
        }
      }
      // what comes unasked is waited for, and takes the time it takes
      if (step.send !== undefined && performance.now() - last > SLOW_MS) pace.isSlow = true;
      last = performance.now();
    }
  } catch (error) {
    // what was answered late, or asked late, and then not as it should be
    if (performance.now() - last > SLOW_MS) pace.isSlow = true;
    throw error;
  } finally {
    for (const conn of conns.values()) conn.close();
  }
}

/** Removes what a replay that was too slow left, so that it can be done again. */
async function clear(port: number): Promise<void> {
  const remove = async (client: Client, path: string): Promise<void> => {
    const { children } = await client.getChildren(path);
    for (const name of children) await remove(client, `${path}/${name}`);
    await client.delete(path);
  };
  // a server that lets only some in, or some nodes that nobody removes: the replay itself will say so
  try {
    const auth = [{ scheme: 'digest', auth: 'super:adminpass' }];
    await using client = await connect(`127.0.0.1:${port}`, { auth, connectTimeoutMs: 30_000 });
    for (const parent of ['', '/zookeeper/quota'])
      for (const name of (await client.getChildren(parent === '' ? '/' : parent)).children)
        if (name.startsWith('v-')) await remove(client, `${parent}/${name}`);
  } catch {}
}

/** Once more where a step was slow: sessions and nodes may have gone meanwhile that the next step speaks of. */
const inTime = (name: string, steps: readonly Step[], ports: readonly number[]): Promise<void> =>
  timely(async (round) => {
    if (round > 0) await clear(ports[0] as number);
    const pace: Pace = { isSlow: false };
    try {
      await replay(name, steps, ports, pace);
      return undefined;
    } catch (error) {
      if (!pace.isSlow) throw error;
      return `${(error as Error).message}, and a step took more than ${SLOW_MS} ms`;
    }
  });

/** Each vector of a profile but those in `without`, `count` in all, against fresh members that listen at these ports. */
export async function replayProfile(
  t: TestContext,
  profile: string,
  count: number,
  ports: readonly number[],
  without: readonly string[] = [],
): Promise<void> {
  const files = readdirSync(HERE + profile)
    .filter((file) => !without.includes(file))
    .sort();
  assert.equal(files.length, count);
  for (const file of files) {
    const name = file.replace('.json', '');
    const { steps } = JSON.parse(readFileSync(`${HERE}${profile}/${file}`, 'utf8')) as { steps: Step[] };
    await t.test(name, () => inTime(name, steps, ports));
  }
}
