import type { Clock } from '../ports/clock.ts';
import { type PeerNetwork, PeerProofError } from '../ports/peer-network.ts';
import { PEER_LEVEL } from '../records/peer-frame.ts';
import type { PeerMessage } from '../records/peer-messages.ts';
import type { Address } from '../server/config-servers.ts';
import type { PeerChannel } from './peer-channel.ts';
import { printable } from './peer-complaints.ts';
import { type Hello, judgeWelcome, LEAST_LEVEL, type PeerIdentity, type Refusal, type Welcome } from './peer-hello.ts';

/** Addresses tried in one call, whatever a resolver answers. */
const MOST_ADDRESSES = 16;
const MOST_REMEMBERED = 1024;

/** Why a server was not reached; the message is a sentence about every address that was tried. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** Set when the server was reached and one side would not have the other. */
  readonly refusal: Refusal | undefined;
  constructor(message: string, refusal?: Refusal, options?: ErrorOptions) {
    super(message, options);
    this.refusal = refusal;
  }
}

export interface Call {
  readonly sid: number;
  readonly purpose: Hello['purpose'];
  readonly addresses: readonly Address[];
  /** Counts the calls of this process to that server and purpose, from 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}
export interface CallSurroundings {
  readonly net: PeerNetwork;
  readonly clock: Clock;
  /** For each of connecting and the answer to the greeting, ms. */
  readonly timeoutMs: number;
  readonly self: () => PeerIdentity;
  /** Addresses that led to their servers. */
  readonly good: Set<string>;
  readonly makeChannel: (purpose: Hello['purpose']) => PeerChannel;
  /** Both know each other: called in the turn of the answer, before anything behind it is read. */
  readonly met: (call: Call, channel: PeerChannel, welcome: Welcome) => void;
}

const show = ({ host, port }: Address): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** One address to try; `at` is what people read. */
interface Candidate {
  /** The names that led there. */
  readonly hosts: readonly string[];
  readonly address: string;
  readonly port: number;
  readonly at: string;
}
const keyOf = (sid: number, { address, port }: Candidate): string => `${sid} ${address} ${port}`;

/**
 * Calls a server: names are resolved now, and all addresses are tried, one after another, until one of them is who is looked
 * for; those that led there before come first. @throws CallError when none is
 */
export async function callServer(call: Call, around: CallSurroundings): Promise<void> {
  const failures: string[] = [];
  let refusal: Refusal | undefined;
  for (const candidate of await resolveAll(call, around, failures)) {
    if (call.signal.aborted) break;
    const key = keyOf(call.sid, candidate);
    try {
      await greet(call, around, candidate);
      remember(around.good, key);
      return;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      // who was reached and has us already needs no second way in
      if (error.refusal?.reason === 'duplicate' || error.refusal?.reason === 'busy') throw error;
      around.good.delete(key);
      refusal ??= error.refusal;
      failures.push(error.message);
    }
  }
  if (failures.length === 0) failures.push(call.signal.aborted ? 'no longer wanted' : 'no address is known');
  throw new CallError(failures.join('; '), refusal);
}

function remember(good: Set<string>, key: string): void {
  good.delete(key);
  const [oldest] = good;
  if (oldest !== undefined && good.size >= MOST_REMEMBERED) good.delete(oldest);
  good.add(key);
}

/** What the names stand for now, asked side by side. */
async function resolveAll(call: Call, around: CallSurroundings, failures: string[]): Promise<readonly Candidate[]> {
  const found = await Promise.all(
    call.addresses.map(async (address): Promise<Candidate[]> => {
      try {
        const ips = await inTime(around.net.resolve(address.host), around);
        return ips.map((ip) => ({
          hosts: [address.host],
          address: ip,
          port: address.port,
          at: ip === address.host ? show(address) : `${show(address)} (${ip})`,
        }));
      } catch (error) {
        const { code = 'failed' } = error as NodeJS.ErrnoException;
        failures.push(`${show(address)}: the name does not resolve (${code})`);
        return [];
      }
    }),
  );
  const all = new Map<string, Candidate>();
  for (const each of found.flat()) {
    const key = `${each.address} ${each.port}`;
    const known = all.get(key);
    // two lines may spell it differently, and its certificate be made out to either
    all.set(key, known === undefined ? each : { ...known, hosts: [...known.hosts, ...each.hosts] });
  }
  const isNew = (each: Candidate): number => (around.good.has(keyOf(call.sid, each)) ? 0 : 1);
  return [...all.values()].sort((a, b) => isNew(a) - isNew(b)).slice(0, MOST_ADDRESSES);
}

/** A resolver may take many seconds to say that it does not know. */
function inTime<T>(work: Promise<T>, { clock, timeoutMs }: CallSurroundings): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = clock.after(timeoutMs, () => reject(Object.assign(new Error('late'), { code: 'ETIMEDOUT' })));
    work.then(resolve, reject).finally(() => late[Symbol.dispose]());
  });
}

/** Connects to one address and exchanges greetings. */
async function greet(call: Call, around: CallSurroundings, { hosts, address, port, at }: Candidate): Promise<void> {
  const channel = around.makeChannel(call.purpose);
  const { sid, purpose, attempt, signal } = call;
  let settle: { resolve: () => void; reject: (error: CallError) => void } | undefined;
  const answered = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  answered.catch(() => {}); // it may be given up before anyone waits for it
  const fail = (sentence: string, refusal?: Refusal): void => {
    settle?.reject(new CallError(sentence, refusal));
    channel.cut(sentence);
  };
  const answer = (messages: readonly PeerMessage[]): void => {
    const [first] = messages;
    if (first?.type === 'REFUSED') return fail(`${at} refused: ${printable(first.sentence)}`, first);
    if (first?.type !== 'WELCOME' || messages.length > 1) return fail(`${at} answered out of turn`);
    const wrong = judgeWelcome(first, around.self(), sid, at);
    if (wrong !== undefined) return fail(wrong.sentence, wrong);
    channel.open(first.level);
    around.met(call, channel, first);
    settle?.resolve();
  };
  channel.owner = {
    messages: (_channel, messages) => answer(messages),
    drained() {},
    closed: (_channel, reason) => settle?.reject(new CallError(`${at}: ${reason}`)),
  };
  try {
    channel.bind(
      await around.net.dial(
        { sid, hosts, address, port, timeoutMs: around.timeoutMs, attempt },
        channel.handler,
        signal,
      ),
    );
  } catch (error) {
    channel.cut('not reached');
    const { message } = error as Error;
    // one of the two is no member, or will not be believed to be: for people to hear of
    const refusal = error instanceof PeerProofError ? ({ reason: 'proof', sentence: message } as const) : undefined;
    throw new CallError(`${at}: ${message}`, refusal, { cause: error });
  }
  const abort = (): void => fail(`${at}: no longer wanted`);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  using _late = around.clock.after(around.timeoutMs, () => fail(`${at}: no answer in ${around.timeoutMs} ms`));
  const { ensembleName, ensembleId, sid: own, incarnation, tag } = around.self();
  channel.send({
    type: 'HELLO',
    leastLevel: LEAST_LEVEL,
    level: PEER_LEVEL,
    purpose,
    ensembleName,
    ensembleId,
    sid: own,
    incarnation,
    tag,
    to: sid,
    attempt,
  });
  channel.flush();
  try {
    await answered;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
