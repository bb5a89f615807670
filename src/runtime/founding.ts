import { type Config, KIND, type Txn } from '../records/txns.ts';
import type { ServerNode } from './node.ts';

/**
 * The transactions that no client asks for: who belongs to the ensemble and who is back, before any other, and what says that a
 * change of members is committed.
 */
export class Founding {
  private readonly node: ServerNode;
  constructor(node: ServerNode) {
    this.node = node;
  }
  /** The first of all (foundations.md 4): these are the members; undefined: this server alone is. */
  found(config: Config | undefined): void {
    const { storage, server, sid, options, ports } = this.node;
    const { incarnation } = storage.identity;
    const ensembleId = Buffer.from(ports.random.bytes(16)).toString('hex');
    const alone: Config = {
      members: [{ sid, role: 'participant', incarnation, addresses: [], client: null }],
      maxTxnBytes: options.config.maxBufferBytes * 2,
    };
    // a member keeps the id once its record is committed: until then another founding may give another
    if (config !== undefined) return this.propose({ kind: KIND.found, ensembleId, config });
    server.peer.adopt(alone);
    const { leader } = server.peer;
    storage
      .setEnsembleId(ensembleId)
      .then(() => {
        if (this.node.server.peer.leader !== leader) return; // the term is over already
        this.propose({ kind: KIND.found, ensembleId, config: alone });
      })
      .catch((error: Error) => this.node.diskFailed(error));
  }
  /**
   * Proposes it, unless the same step ended the term or its counter is used up: the next term, which begins as soon as all that is
   * numbered is applied, finds out anew what it has to say (ZOOKEEPER-1277).
   */
  propose(txn: Txn): void {
    const { node } = this;
    const { server } = node;
    const { leader } = server.peer;
    if (leader === undefined || leader.exhausted) return;
    node.clocks();
    const counter = server.propose(undefined, 0n, 0, 0, txn, [], undefined);
    if (!server.peer.isMember) server.peer.proposedFirst(counter);
    node.turn();
  }
}
