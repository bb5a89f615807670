import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ensemble } from '../ensemble/ensemble.ts';
import { launch } from '../ensemble/launch.ts';
import { anyBlock } from '../ensemble/ports.ts';
import { Failure } from '../shell/failure.ts';
import { ENSEMBLE_VARIABLE, ownCommand } from './local-ensembles.ts';
import { temporaryFolder } from './temporary.ts';

/** A file system in memory, where there is one. */
const MEMORY = '/dev/shm';
const START_MS = 30_000;

export interface ThrowawayOptions {
  readonly name: string;
  readonly voters: number;
  readonly observers: number;
  /** First client port; undefined: free ones anywhere. */
  readonly basePort: number | undefined;
  /** Its files lie in memory. */
  readonly memory: boolean;
  /** Where everything stays, and may lie from an earlier time; undefined: it goes at the end. */
  readonly data: string | undefined;
  readonly settings: readonly string[];
  readonly timeoutMs: number | undefined;
  /** What helps when no quorum comes in time. */
  readonly lateHint: string;
  readonly signal: AbortSignal;
}
export interface Throwaway {
  readonly ensemble: Ensemble;
  /** Variables that tell programs about it. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends its processes and removes its files. */
  stop(): Promise<void>;
}

function ownFolder(beneath: string | undefined): string {
  try {
    return temporaryFolder(beneath);
  } catch (error) {
    throw new Failure(40, 'NoFolder', (error as Error).message);
  }
}

/** Starts an ensemble that lives as long as this process. @throws Failure, or the signal's reason */
export async function startThrowaway(options: ThrowawayOptions): Promise<Throwaway> {
  const { name, voters, observers, basePort, memory, data, settings, signal } = options;
  const root = data === undefined ? ownFolder(memory && existsSync(MEMORY) ? MEMORY : undefined) : undefined;
  const remove = (): void => {
    if (root !== undefined) rmSync(root, { recursive: true, force: true });
  };
  const host = '127.0.0.1';
  try {
    const ensemble = await launch({
      path: root === undefined ? resolve(data as string) : join(root, name),
      make: {
        name,
        voters,
        observers,
        host,
        basePort: basePort ?? (await anyBlock(host, voters + observers)),
        exactBase: basePort !== undefined,
        data: undefined,
        settings,
      },
      asked: {},
      command: ownCommand(),
      leash: true,
      throwaway: root,
      timeoutMs: options.timeoutMs ?? START_MS,
      signal,
      keep: false,
      lateHint: options.lateHint,
      note: () => {},
    });
    const { connect } = ensemble;
    return {
      ensemble,
      env: {
        ZOOSH_SERVER: connect,
        ZK_SERVER: connect,
        ZOOKEEPER_CONNECT: connect,
        [ENSEMBLE_VARIABLE]: ensemble.folder.path,
      },
      async stop() {
        // members may have been added and removed meanwhile
        const now = ensemble.folder.exists ? new Ensemble(ensemble.folder.path) : ensemble;
        await now.end(now.ids, root === undefined ? 'SIGTERM' : 'SIGKILL');
        const { sockets } = now.file;
        if (root !== undefined && sockets !== undefined) rmSync(sockets, { recursive: true, force: true });
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
