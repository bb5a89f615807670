import { zxid } from '../base/ids.ts';
import { TreeDigest } from '../tree/digest.ts';
import { type OfferedBackup, offerBackup } from './backup.ts';
import { ClientGate } from './client-gate.ts';
import { Control, type ControlledServer } from './control.ts';
import type { ServerStatus, TreeDigest as ToldDigest } from './control-messages.ts';
import type { LogLevel } from './log.ts';
import { ServerNode } from './node.ts';
import { REAL_PORTS, type RunningServer, type StartOptions } from './node-options.ts';
import { PeerFaults } from './peer-faults.ts';
import { peerNetworkFor } from './peer-trust.ts';

/** Rows of the tree that a digest looks at before others get their turn. */
const ROWS_AT_ONCE = 2000;
/** How often a digest begins again because the tree changed; then it is taken in one go, and everything waits. */
const DIGEST_TRIES = 5;

const ROLES = {
  leading: 'leader',
  following: 'follower',
  observing: 'observer',
  looking: 'looking',
  stopped: 'looking',
} as const;

/** A server as its control socket sees it. */
class ControlledNode implements ControlledServer {
  readonly faults: PeerFaults | undefined;
  private readonly node: ServerNode;
  private readonly gate: ClientGate;
  constructor(node: ServerNode, faults: PeerFaults | undefined, gate: ClientGate) {
    this.node = node;
    this.faults = faults;
    this.gate = gate;
  }
  status(): ServerStatus {
    const { node } = this;
    const { clientPort } = node.options.config;
    // its files are still being read
    const server = node.server as ServerNode['server'] | undefined;
    const none = { sid: node.sid, clientPort, repair: undefined, damage: node.damage.all, electionMs: undefined };
    if (server === undefined)
      return {
        ...none,
        role: 'looking',
        settled: false,
        phase: 'loading',
        serving: false,
        epoch: 0,
        zxid: '0x0',
        leader: undefined,
        clients: 0,
      };
    const { peer, tree } = server;
    const role = peer.isMember ? ROLES[peer.role] : 'standalone';
    return {
      ...none,
      role,
      phase: role === 'looking' ? 'election' : peer.phase,
      serving: server.serving,
      settled: peer.isSettled,
      epoch: peer.currentEpoch,
      zxid: zxid.show(zxid.of(tree.zxidHi, tree.zxidLo >>> 0)),
      leader: role === 'leader' || role === 'standalone' ? node.sid : peer.followed,
      clients: this.gate.size,
      repair: node.waits ?? (peer.repairing ? repairOf(peer.followed) : undefined),
      electionMs: node.electionMs,
    };
  }
  async digest(): Promise<ToldDigest> {
    for (let left = DIGEST_TRIES; ; left--) {
      while (this.node.server.applying) await turn();
      const { tree } = this.node.server;
      const digest = new TreeDigest(tree);
      const { hi, lo } = digest.zxid;
      const isSame = (): boolean => this.node.server.tree === tree && tree.zxidHi === hi && tree.zxidLo === lo;
      let done = false;
      while (!done && isSame()) {
        done = digest.step(left <= 1 ? Number.MAX_SAFE_INTEGER : ROWS_AT_ONCE);
        if (!done) await turn();
      }
      if (done) return { zxid: zxid.show(zxid.of(hi, lo >>> 0)), digest: String(digest) };
    }
  }
  async snapshot(): Promise<{ zxid: string }> {
    return { zxid: zxid.show((await this.node.snapshot()).zxid) };
  }
  backup(): Promise<OfferedBackup> {
    return offerBackup(this.node);
  }
  async purge(retain: number): Promise<readonly string[]> {
    return this.node.purge(retain);
  }
  cutClients(cut: boolean): void {
    this.gate.cut(cut);
  }
  logLevel(level?: LogLevel): string {
    const { logger } = this.node.options;
    if (level !== undefined) logger.level = level;
    return logger.level;
  }
  stop(): void {
    process.kill(process.pid, 'SIGTERM');
  }
}
const repairOf = (leader: number | undefined): string =>
  leader === undefined ? 'damaged, waits for a leader' : `damaged, being repaired by server ${leader}`;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Starts a server with a control socket at `path`, which is there from before its files are read until it has ended. With
 * `faults` it can also be cut off from others and slowed down, which a server that others depend on need not be.
 * @throws StartError, StorageRefusal, DamageError
 */
export async function startControlled(
  options: StartOptions,
  unlock: () => void,
  path: string,
  withFaults: boolean,
): Promise<RunningServer> {
  const faults = withFaults ? new PeerFaults(REAL_PORTS.clock) : undefined;
  const gate = new ClientGate();
  const { ensemble } = options.config;
  const kept =
    ensemble === undefined || faults === undefined
      ? undefined
      : await peerNetworkFor(ensemble, options.logger, REAL_PORTS.clock);
  const node = new ServerNode(options, unlock, {
    ...REAL_PORTS,
    listener: gate.guard(REAL_PORTS.listener),
    ...(kept !== undefined && faults !== undefined && { peerNetwork: faults.network(kept.net) }),
  });
  const control = await Control.open(path, new ControlledNode(node, faults, gate));
  const close = async (): Promise<void> => {
    kept?.[Symbol.dispose]();
    faults?.heal(); // connections that wait for the end of a partition would keep the process
    await control.close();
  };
  try {
    const running = await node.start();
    const stop = async (): Promise<void> => {
      await running.stop();
      await close();
    };
    return { ...running, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await close();
    throw error;
  }
}
