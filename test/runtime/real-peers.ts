/** Servers' peer ports on loopback, in this process. */
import { connect } from 'node:net';
import { after } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { realClock } from '../../src/platform/clock.ts';
import { plainPeerNetwork } from '../../src/platform/peer-net.ts';
import type { PeerNetwork } from '../../src/ports/peer-network.ts';
import type { PeerAddresses, PeerOptions } from '../../src/runtime/peers.ts';
import { PATIENCE_MS } from '../patience.ts';
import { FakePeer, identityOf } from './fake-peers.ts';

export const HOST = '127.0.0.1';
const peers: FakePeer[] = [];
after(() => {
  for (const peer of peers) peer.port.close();
});

export interface Running {
  readonly peer: FakePeer;
  readonly addresses: PeerAddresses;
}
/** Listens on free ports until the end of the file's tests. */
export async function run(
  sid: number,
  net: PeerNetwork = plainPeerNetwork,
  options: Partial<PeerOptions> = {},
): Promise<Running> {
  const any = { host: HOST, port: 0 };
  const peer = new FakePeer(
    identityOf(sid),
    { net, clock: realClock, random: seededRandom(sid) },
    { election: any, quorum: any, connectMs: 2000, ...options },
  );
  peers.push(peer);
  const { election, quorum } = await peer.port.start();
  return {
    peer,
    addresses: { sid, election: [{ host: HOST, port: election }], quorum: [{ host: HOST, port: quorum }] },
  };
}
export const introduce = (...all: Running[]): void => {
  for (const { peer } of all) peer.port.know(all.map(({ addresses }) => addresses));
};
export const portOf = ({ addresses }: Running, which: 'election' | 'quorum'): number =>
  addresses[which][0]?.port as number;
export async function until(fact: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !fact(); waited += 5) {
    if (waited > PATIENCE_MS) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
export const has = (list: readonly string[], what: RegExp) => (): boolean => list.some((each) => what.test(each));

/** Sends bytes to a port and waits until the other end hangs up. */
export async function say(port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, HOST);
  socket.on('error', () => {});
  socket.resume();
  socket.end(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
}
