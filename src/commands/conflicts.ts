import { KeeperError } from '../base/errors.ts';
import type { Client } from '../client/api.ts';
import { Failure } from '../shell/failure.ts';
import { compareAcls, type NodeRecord, sameData } from '../shell/node-record.ts';
import { showCount } from '../shell/units.ts';

const WORDS: Readonly<Record<string, string>> = { updated: 'changed', same: 'unchanged' };
/** A count as people read it: `1,204 unchanged`. */
export const countText = (name: string, count: number): string => `${showCount(count)} ${WORDS[name] ?? name}`;

/** What becomes of a node that is there already and not the same. */
export type OnConflict = 'fail' | 'skip' | 'overwrite' | 'newer';

export interface ConflictOptions {
  readonly signal: AbortSignal;
  readonly onConflict: OnConflict;
  /** It may be there when it is empty. */
  readonly root: string;
  readonly counts: { created: number; updated: number; same: number; skipped: number };
  /** Data is left as it is. */
  readonly keepsData?: boolean;
}

/** Decides about nodes that are there already. */
export class Conflicts {
  readonly #client: Client;
  readonly #options: ConflictOptions;
  /** Nodes with the same data, of whose ACLs nobody can say whether they are the same: no conflict that `fail` would stop at. */
  readonly unknown: string[] = [];
  constructor(client: Client, options: ConflictOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** @throws Failure (11, 12), KeeperError */
  async settle(record: NodeRecord): Promise<void> {
    const { signal, onConflict, root, counts } = this.#options;
    const { path, data, acl } = record;
    const [now, own] = await Promise.all([this.#client.get(path, { signal }), this.#client.getAcl(path, { signal })]);
    const setsData = this.#options.keepsData !== true && !sameData(now.data, data);
    const how = acl === undefined ? 'same' : compareAcls(own.acl, acl);
    const setsAcl = acl !== undefined && how !== 'same';
    if (!setsData && how === 'unknown' && onConflict === 'fail') {
      counts.same++;
      this.unknown.push(path);
      return;
    }
    if (!setsData && !setsAcl) {
      counts.same++;
      return;
    }
    // a place made ready for what comes is no conflict
    const isReady = path === root && (now.data === null || now.data.length === 0);
    const isOlder = record.stat !== undefined && record.stat.mtime > now.stat.mtime;
    if (!isReady) {
      if (onConflict === 'fail')
        throw new Failure(11, 'NodeExists', `there is another node already: ${path}`, {
          path,
          hint: 'skip, overwrite or newer as --on-conflict goes on',
        });
      if (onConflict === 'skip' || (onConflict === 'newer' && !isOlder)) {
        counts.skipped++;
        return;
      }
    }
    try {
      if (setsData) await this.#client.set(path, data, now.stat.version, { signal });
      if (setsData) counts.updated++; // also when its ACL then may not be changed
      if (setsAcl) await this.#client.setAcl(path, acl, own.stat.aversion, { signal });
      if (!setsData) counts.updated++;
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'BadVersion') throw error;
      throw new Failure(12, 'BadVersion', `somebody else changed it in the same moment: ${path}`, {
        path,
        cause: error,
      });
    }
  }
}
