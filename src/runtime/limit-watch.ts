import { oneLine } from '../base/one-line.ts';
import type { ServerConfig } from '../server/config.ts';
import type { Server } from '../server/server.ts';
import { MOST_PATHS } from '../server/watches.ts';
import { LargeNodes } from '../tree/large-nodes.ts';
import { MOST_TAKEN } from '../tree/slabs.ts';
import type { Chores } from './chores.ts';
import { clientsFor, RAISE_DESCRIPTORS } from './descriptors.ts';
import { FAR, LimitJudge, OF_ZNODE } from './limit-judge.ts';
import type { Logger } from './log.ts';

/** Between two looks. */
const LOOK_MS = 1000;
const NODES = 'znode ';

export interface LimitsOptions {
  readonly config: Pick<ServerConfig, 'maxCnxns' | 'maxBufferBytes'>;
  readonly logger: Pick<Logger, 'warn'>;
  /** Files that this process may have open; undefined: nobody knows. */
  readonly descriptors: number | undefined;
  /** The present state's; a learner's may be replaced. */
  server(): Pick<Server, 'tree' | 'watches' | 'outbox'>;
  /** How many clients are connected. */
  clients(): number;
}

/** A figure that is known without counting. */
interface Figure {
  readonly what: string;
  readonly have: () => number;
  readonly most: number;
  /** What comes of it at the limit, and what can be done, a clause. */
  readonly so: string;
}

const shown = (count: number): string => count.toLocaleString('en-US');

function figuresOf({ config, descriptors, server, clients }: LimitsOptions): Figure[] {
  const { maxCnxns, maxBufferBytes } = config;
  const isSet = maxCnxns > 0;
  const most = isSet ? maxCnxns : descriptors === undefined ? Number.POSITIVE_INFINITY : clientsFor(descriptors);
  return [
    {
      ...{ what: 'connections of clients', have: clients, most },
      so: `beyond them clients are not let in. ${isSet ? 'Raise maxCnxns' : RAISE_DESCRIPTORS}`,
    },
    {
      ...{ what: 'pages of paths and data', have: () => server().tree.slabs.size, most: MOST_TAKEN },
      so: 'beyond them writes are refused with THROTTLEDOP (-127). Delete nodes',
    },
    {
      ...{ what: 'paths that are watched', have: () => server().watches.paths, most: MOST_PATHS },
      so: 'beyond them a request that leaves a watch fails. Have clients watch fewer, or each folder with one recursive watch',
    },
    {
      ...{ what: 'bytes of a reply', have: () => server().outbox.sizes.max, most: maxBufferBytes },
      so: 'beyond them (jute.maxbuffer) a client with the same setting ends its connection. Ask for less at once, or raise it everywhere',
    },
  ];
}

/** Looks now and then how near everything is to its limit, and warns: each thing once as it comes to a half, four fifths, all of it. */
export class LimitWatch {
  private readonly options: LimitsOptions;
  private readonly judge = new LimitJudge();
  private readonly nodes = new LargeNodes();
  private readonly figures: readonly Figure[];
  /** Nodes found large in this round. */
  private met = new Set<string>();

  constructor(options: LimitsOptions) {
    this.options = options;
    this.figures = figuresOf(options);
  }
  look(): void {
    for (const { what, have, most, so } of this.figures) {
      const count = have();
      const step = this.judge.judge(what, count, most);
      if (step !== undefined)
        this.options.logger.warn(`limit: ${shown(count)} of ${shown(most)} ${what}, ${step} % or more: ${so}`);
    }
    this.lookAtNodes();
  }
  private lookAtNodes(): void {
    const { config, logger, server } = this.options;
    const { tree } = server();
    const most = config.maxBufferBytes;
    const { found, isRound } = this.nodes.look(tree, (most * FAR) / 100);
    for (const { row, bytes, kind, children } of found) {
      const path = tree.pathOf(row);
      const key = `${NODES}${kind} ${path}`;
      this.met.add(key);
      const step = this.judge.judge(key, bytes, most);
      if (step === undefined) continue;
      const [what, so] =
        kind === 'data'
          ? ['its data', 'read or set it']
          : [`the names of its ${shown(children)} children, about`, 'list them, and so not delete it'];
      logger.warn(
        `${OF_ZNODE}${oneLine(path)}: ${what} ${shown(bytes)} of ${shown(most)} bytes of a packet, ${step} % or more: beyond them (jute.maxbuffer) a client with the same setting cannot ${so}`,
      );
    }
    if (!isRound) return;
    this.judge.keepOnly(NODES, this.met);
    this.met = new Set();
  }
}

/** Of a node what is looked at. */
interface Watched {
  readonly options: Pick<LimitsOptions, 'logger'> & { readonly config: ServerConfig };
  readonly ports: { readonly descriptors?: () => number | undefined };
  readonly server: Server;
}

/** Has a look taken by the clock for as long as the chores go on. */
export function watchLimits(node: Watched, clients: () => number, chores: Chores): void {
  const { config, logger } = node.options;
  const descriptors = node.ports.descriptors?.();
  const watch = new LimitWatch({ config, logger, descriptors, server: () => node.server, clients });
  chores.every(LOOK_MS, () => watch.look());
}
