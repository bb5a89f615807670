import type { PeerProof } from '../ports/peer-network.ts';
import { PEER_LEVEL } from '../records/peer-frame.ts';
import type { MessageOf } from '../records/peer-messages.ts';

/** Who a server says it is when it meets another. */
export interface PeerIdentity {
  /** The operator's name for the ensemble, the same on all members. */
  readonly ensembleName: string;
  /** Hexadecimal; null until the server belongs to an ensemble. */
  readonly ensembleId: string | null;
  readonly sid: number;
  /** Hexadecimal, 16 bytes: one life of its directory. */
  readonly incarnation: string;
  /** Hexadecimal, 8 bytes: this start of it. */
  readonly tag: string;
}
export type Hello = MessageOf<'HELLO'>;
export type Welcome = MessageOf<'WELCOME'>;
/** `reason` is for programs, `sentence` for people. */
export interface Refusal {
  readonly reason: MessageOf<'REFUSED'>['reason'];
  readonly sentence: string;
}

/** The lowest feature level this program still speaks. */
export const LEAST_LEVEL = 1;
/** The port a connection came to, as people call it. */
export const portName = (purpose: Hello['purpose']): string => `the ${purpose} port`;

export const isSameProcess = (
  a: Pick<PeerIdentity, 'incarnation' | 'tag'>,
  b: Pick<PeerIdentity, 'incarnation' | 'tag'>,
): boolean => a.incarnation === b.incarnation && a.tag === b.tag;

const showEnsemble = (id: string | null, name: string): string => `${id?.slice(0, 8) ?? 'none yet'} (${name})`;

/** What two servers with one id are told; `other` is where the second one is. */
export const sameIdSentence = (sid: number, one: string, other: string): string =>
  `two servers have the id ${sid}, ${one} and ${other}; give one of them another myid`;

/** What must be so on both sides: another server, of the same ensemble. `at` is where it is. */
function judgeIdentity(them: PeerIdentity, self: PeerIdentity, at: string): Refusal | undefined {
  if (them.ensembleName !== self.ensembleName)
    return {
      reason: 'ensemble',
      sentence: `server ${them.sid} at ${at} is of an ensemble named "${them.ensembleName}", server ${self.sid} of "${self.ensembleName}"; correct the address or peer.ensembleName`,
    };
  if (them.ensembleId !== null && self.ensembleId !== null && them.ensembleId !== self.ensembleId)
    return {
      reason: 'ensemble',
      sentence: `server ${them.sid} at ${at} belongs to another ensemble, ${showEnsemble(them.ensembleId, them.ensembleName)}, and server ${self.sid} to ${showEnsemble(self.ensembleId, self.ensembleName)}; correct the address, or empty the directory of the one that is to join`,
    };
  if (them.sid !== self.sid) return undefined;
  return isSameProcess(them, self)
    ? {
        reason: 'not-me',
        sentence: `the address ${at} leads server ${self.sid} back to itself; correct its server line`,
      }
    : { reason: 'same-id', sentence: sameIdSentence(self.sid, 'this one', `the one at ${at}`) };
}

/** How somebody came who says hello. */
export interface Arrival {
  readonly to: Hello['purpose'];
  readonly from: string;
  /** Undefined where no proof is asked for. */
  readonly proof: PeerProof | undefined;
  /** Where the server that it says it is is looked for; none when it is not listed. */
  readonly hosts: readonly string[];
}

/** Why the server that says hello is not let in; undefined when it is. */
export function judgeHello(hello: Hello, self: PeerIdentity, came: Arrival): Refusal | undefined {
  if (hello.leastLevel > PEER_LEVEL || hello.level < LEAST_LEVEL)
    return {
      reason: 'protocol',
      sentence: `server ${hello.sid} speaks feature levels ${hello.leastLevel} to ${hello.level}, server ${self.sid} ${LEAST_LEVEL} to ${PEER_LEVEL}; upgrade one version at a time`,
    };
  const { ensembleName, sid } = hello;
  const denied = came.proof?.denies({ ensembleName, sid, hosts: came.hosts });
  if (denied !== undefined) return { reason: 'proof', sentence: `server ${sid} at ${came.from} ${denied}` };
  const wrong = judgeIdentity(hello, self, came.from);
  if (wrong !== undefined) return wrong;
  if (hello.to !== self.sid)
    return {
      reason: 'not-me',
      sentence: `server ${hello.sid} looks for server ${hello.to} here and finds server ${self.sid}; compare their server lines and myid`,
    };
  if (hello.purpose !== came.to)
    return {
      reason: 'protocol',
      sentence: `server ${hello.sid} takes ${portName(came.to)} of server ${self.sid} for ${portName(hello.purpose)}; compare their server lines`,
    };
  return undefined;
}

/** The same for the server that answers a dial to `sid` at `at`. */
export function judgeWelcome(welcome: Welcome, self: PeerIdentity, sid: number, at: string): Refusal | undefined {
  if (welcome.level > PEER_LEVEL || welcome.level < LEAST_LEVEL)
    return { reason: 'protocol', sentence: `server ${sid} at ${at} wants feature level ${welcome.level}` };
  const wrong = judgeIdentity(welcome, self, at);
  if (wrong !== undefined) return wrong;
  if (welcome.sid !== sid)
    return {
      reason: 'not-me',
      sentence: `server ${sid} was looked for at ${at} and server ${welcome.sid} is there; compare the server lines and its myid`,
    };
  return undefined;
}
