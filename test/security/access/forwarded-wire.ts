import { Writer } from '../../../src/protocol/bytes.ts';
import { type Envelope, KIND } from '../../../src/records/txns.ts';
import { birthBody } from '../../../src/server/forwarded.ts';
import { writeMultiAnswer } from '../../../src/server/multi.ts';
import { isWrite } from '../../../src/server/writes.ts';
import type { RigOptions } from '../../server/rig.ts';
import type { Certificate } from '../../tls/certificates.ts';
import { PureWire } from './pure-wire.ts';
import { Line, type Wire } from './wire.ts';

const LINK = 7;
const EPOCH = 1;
const STAT_BYTES = 68;

/** Writes go as a learner forwards them, with who asks beside them; what the leader decided is told as an answer. */
export class ForwardedWire implements Wire {
  private last: Envelope | undefined;
  private readonly inner: PureWire;
  private sessions = 0x0200_0000_0000_0000n;
  constructor(options: RigOptions = {}) {
    this.inner = new PureWire({ ...options, logged: (envelope) => (this.last = envelope) });
  }

  async open(shown?: Certificate): Promise<Line> {
    const { server, settle } = this.inner.rig;
    const own = this.inner.openNow(undefined, shown);
    const connection = this.inner.connectionOf(own);
    const session = ++this.sessions;
    const request = (xid: number, op: number, body: Buffer): void => {
      const { identities } = connection;
      server.received(LINK, { type: 'REQUEST', epoch: EPOCH, session, xid, op, body, identities });
      server.tell();
      settle();
    };
    const birth = { kind: KIND.createSession, id: session as never, timeoutMs: 10_000, secret: Buffer.alloc(16, 1) };
    request(0, -10, birthBody(birth));
    const line = new Line((body) => {
      const [xid, op] = [body.readInt32BE(0), body.readInt32BE(4)];
      if (isWrite(op)) {
        request(xid, op, Buffer.from(body.subarray(8)));
        return line.feed(this.answer(xid));
      }
      own.say(op, Buffer.from(body.subarray(8)), xid).then((answer) => {
        if (answer === undefined) return line.end();
        line.feed(reply(xid, answer.zxid, answer.err, answer.body));
      });
    });
    return line;
  }
  private answer(xid: number): Buffer {
    const { txn, zxidHi, zxidLo } = this.last as Envelope;
    const to = new Writer();
    if (txn.kind === KIND.multi) writeMultiAnswer(to, txn, new Array(txn.parts.length).fill(Buffer.alloc(STAT_BYTES)));
    if (txn.kind === KIND.multiError) writeMultiAnswer(to, txn, []);
    const zxid = (BigInt(zxidHi) << 32n) | BigInt(zxidLo >>> 0);
    return reply(xid, zxid, txn.kind === KIND.error ? txn.code : 0, to.take());
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

function reply(xid: number, zxid: bigint, err: number, body: Buffer): Buffer {
  const to = new Writer();
  to.int32(16 + body.length);
  to.int32(xid);
  to.int64(zxid);
  to.int32(err);
  return Buffer.concat([to.take(), body]);
}
