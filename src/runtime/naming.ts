import type { Config } from '../records/txns.ts';
import { changesOf, membersOf } from './config-words.ts';
import type { ServerNode } from './node.ts';

/** Which ensemble this is and who belongs to it, as the state says: on the disk, in the log, and to whoever waits for it. */
export class Naming {
  private readonly node: ServerNode;
  private tellNamed: () => void = () => {};
  private isNaming = false;
  /** Who belongs to it, as far as it was told. */
  private known: Config | undefined;
  /**
   * Resolves when the id of the ensemble is on the disk for the first time. Nobody is served before: after a crash this
   * member could not tell another ensemble from its own.
   */
  readonly named = new Promise<void>((resolve) => {
    this.tellNamed = resolve;
  });

  constructor(node: ServerNode) {
    this.node = node;
  }
  /** Which ensemble this is stands on the disk. */
  get isNamed(): boolean {
    return this.node.storage.identity.ensembleId !== null;
  }
  private tellConfig(): void {
    const { config, members } = this.node.server.tree;
    const { configAt } = members;
    if (config === undefined || configAt === undefined) return;
    this.tellMembers(config);
    this.node.options.configured?.(config, (BigInt(configAt.epoch) << 32n) | BigInt(configAt.counter));
  }
  /** For the log: who belongs to the ensemble, and what is another since this life last knew. */
  private tellMembers(config: Config): void {
    const before = this.known;
    this.known = config;
    const changes = before === undefined ? [] : changesOf(before, config);
    if (before !== undefined && changes.length === 0) return;
    const why = changes.length === 0 ? '' : `; ${changes.join(', ')}`;
    this.node.options.logger.info(`members of this ensemble: ${membersOf(config)}${why}`);
  }
  /** The state says who belongs to the ensemble: after a config record, or with a snapshot. */
  configured(): void {
    const { node } = this;
    const { server, storage } = node;
    this.tellConfig();
    const { ensembleId } = server.tree;
    if (ensembleId === '' || storage.identity.ensembleId === ensembleId || this.isNaming) return;
    this.isNaming = true;
    storage.setEnsembleId(ensembleId).then(
      () => {
        this.isNaming = false;
        this.tellNamed();
      },
      (error: Error) => {
        this.isNaming = false;
        node.diskFailed(error);
      },
    );
  }
}
