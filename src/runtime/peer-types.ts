import type { Random } from '../base/random.ts';
import type { Clock } from '../ports/clock.ts';
import type { PeerNetwork } from '../ports/peer-network.ts';
import type { MessageOf, PeerMessage } from '../records/peer-messages.ts';
import type { Address } from '../server/config-servers.ts';
import type { PeerIdentity } from './peer-hello.ts';

/** Where the servers of the ensemble listen, one by one. */
export interface PeerAddresses {
  readonly sid: number;
  readonly election: readonly Address[];
  readonly quorum: readonly Address[];
  /** Of which one its certificate must be made out to when it calls; absent: the hosts of its addresses. */
  readonly hosts?: readonly string[];
}
export const hostsOf = ({ election, quorum }: Pick<PeerAddresses, 'election' | 'quorum'>): readonly string[] => [
  ...new Set([...election, ...quorum].map(({ host }) => host)),
];
/** Where a server listens for the others. */
export interface PeerPlaces {
  readonly election: readonly Address[];
  readonly quorum: readonly Address[];
}
export interface PeerOptions {
  /** Who we are, asked at each meeting: the ensemble id comes with the founding. */
  readonly self: () => PeerIdentity;
  readonly election: Address;
  readonly quorum: Address;
  /** Further addresses to listen on, of a server that has several. */
  readonly also?: { readonly election: readonly Address[]; readonly quorum: readonly Address[] };
  readonly tickMs: number;
  /** A channel that says nothing for this many ticks is cut. */
  readonly silenceTicks: number;
  /** One for votes, ms; two ticks at least, since who is quiet for one is asked. Absent: the same. */
  readonly voteSilenceMs?: number | undefined;
  /** For connecting, and again for the greeting, ms. */
  readonly connectMs: number;
  /** How often a port that cannot be had is asked for, a second apart; 0 means for ever. */
  readonly bindAttempts: number;
  /** Bytes waiting for a quorum channel before senders are asked to pause, and before it is cut. */
  readonly highWater: number;
  readonly mostWaiting: number;
}
export interface PeerPorts {
  readonly net: PeerNetwork;
  readonly clock: Clock;
  readonly random: Random;
}
/** What the connections tell. `turn` follows whenever others were called: clocks are set before it, and flushing is due. */
export interface PeerEvents {
  /** Votes reach this server, or an attempt failed, or its connection closed. */
  reached(sid: number, up: boolean): void;
  voted(from: number, message: MessageOf<'VOTE'>): void;
  /** Who belongs to the ensemble, by another server. */
  toldMembers(message: MessageOf<'MEMBERS'>): void;
  /** A link between learner and leader is open; `dialled` by us, as its learner. */
  linked(sid: number, link: number, dialled: boolean): void;
  dialFailed(sid: number, sentence: string): void;
  received(link: number, message: PeerMessage): void;
  /** Not told of links that were hung up here. */
  closed(link: number, reason: string): void;
  /** Room again on a link after `send` said no. */
  drained(link: number): void;
  turn(): void;
  /** Where this server was called for, one answers that is of another ensemble. */
  foreign(sid: number, sentence: string): void;
  /** For the log: where this server listens now, or why not there. */
  moved(sentence: string, isDone: boolean): void;
  /** For the log: who was not let in, or would not have us, and why. */
  complaint(sentence: string): void;
}
