/** One session's connection, frame by frame, to a server in memory or behind a port. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { SessionId, Zxid } from '../../../src/base/ids.ts';
import { Reader, Writer } from '../../../src/protocol/bytes.ts';
import { FrameCutter } from '../../../src/protocol/frame.ts';
import { ConnectRequest, ConnectResponse } from '../../../src/protocol/handshake.ts';
import { XID } from '../../../src/protocol/operations.ts';
import { frame } from '../../e2e/raw.ts';

/** A way to a server. `told` gets bytes as they come, `ended` is called once. */
export interface Pipe {
  write(bytes: Buffer): void;
  destroy(): void;
}
export interface Door {
  dial(told: (bytes: Buffer) => void, ended: () => void): Promise<Pipe>;
}

export const socketDoor = (port: number): Door => ({
  async dial(told, ended) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.on('error', () => {});
    socket.on('data', told);
    socket.on('close', ended);
    await once(socket, 'connect');
    return { write: (bytes) => void socket.write(bytes), destroy: () => void socket.destroy() };
  },
});

/** Nobody waits longer for a server on this machine. */
const PATIENCE_MS = 20_000;
/** After so long a reply that is missing is asked after, with a ping. */
const ASK_MS = 300;

export class Talk {
  /** Replies and events that came, without their lengths. */
  readonly heard: Buffer[] = [];
  ended = false;
  welcome: ConnectResponse | undefined;
  private pipe: Pipe | undefined;
  private readonly cutter = new FrameCutter(1 << 26);
  private wake: (() => void) | undefined;
  private replies = 0;
  private pings = 0;
  private expectedPings = 0;

  static async open(door: Door, session: bigint, password: Uint8Array, seen: bigint): Promise<Talk> {
    const talk = new Talk();
    talk.pipe = await door.dial(
      (bytes) => talk.feed(bytes),
      () => {
        talk.ended = true;
        talk.wake?.();
      },
    );
    const to = new Writer();
    ConnectRequest.write(to, {
      protocolVersion: 0,
      lastZxidSeen: seen as Zxid,
      timeoutMs: 30_000,
      sessionId: session as SessionId,
      password,
      readOnly: false,
    });
    talk.pipe.write(frame(to.take()));
    await talk.until(() => talk.welcome !== undefined);
    return talk;
  }
  private feed(bytes: Buffer): void {
    this.cutter.push(Buffer.from(bytes), (from, start, end) => {
      if (this.welcome === undefined) this.welcome = ConnectResponse.read(new Reader(from, start, end));
      else {
        const body = Buffer.from(from.subarray(start, end));
        const xid = body.readInt32BE(0);
        this.heard.push(body);
        if (xid !== XID.event) this.replies++;
        if (xid === XID.ping) this.pings++;
      }
      return true;
    });
    this.wake?.();
  }
  /** Resolves true when it is so or the server hung up; false after `ms`. */
  private async until(fact: () => boolean, ms = PATIENCE_MS): Promise<boolean> {
    const end = performance.now() + ms;
    while (!fact() && !this.ended) {
      const left = end - performance.now();
      if (left <= 0) {
        if (ms < PATIENCE_MS) return false;
        throw new Error(`a server is silent: ${this.replies} replies, ${this.pings} of ${this.expectedPings} pings`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return true;
  }
  /** Sends requests at once and takes what comes until all are answered; a ping of its own finds out which never will be. */
  async ask(frames: readonly Buffer[], pings: number): Promise<void> {
    const wanted = this.replies + frames.length;
    this.expectedPings += pings;
    this.pipe?.write(Buffer.concat(frames));
    if (await this.until(() => this.replies >= wanted, ASK_MS)) return;
    await this.settle();
    // its answer is the last thing heard, and none of the program's
    if (!this.ended) this.heard.pop();
  }
  /** A ping comes back behind everything that was under way to this session. Its answer is left in {@link heard}. */
  async settle(): Promise<void> {
    if (this.ended) return;
    this.expectedPings++;
    const to = new Writer();
    to.int32(XID.ping);
    to.int32(11);
    this.pipe?.write(frame(to.take()));
    await this.until(() => this.pings >= this.expectedPings);
  }
  /** The server is about to hang up. */
  end(): Promise<boolean> {
    return this.until(() => false, ASK_MS);
  }
  take(): Buffer[] {
    return this.heard.splice(0);
  }
  destroy(): void {
    this.ended = true;
    this.pipe?.destroy();
  }
}
