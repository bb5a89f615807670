/** A plan put into effect, exactly as it was shown. */
import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import { type Client, MultiError, type MultiOp } from '../client/api.ts';
import { creation } from './bulk-create.ts';
import { Failure } from './failure.ts';
import type { Change } from './tree-plan.ts';
import { plural } from './units.ts';

const BATCH_BYTES = 400_000;
const BATCH_OPS = 500;

export interface CarryOutOptions {
  readonly signal: AbortSignal;
  readonly done: (count: number) => void;
}

/**
 * Does the changes: nodes are made and set in order, then what goes goes, deepest first. Each is bound to the version that
 * was seen when it was planned. As many as fit are one transaction; ACLs cannot be part of one and follow it.
 * @throws Failure (10 to 13) that says how far it came
 */
export async function carryOut(client: Client, changes: readonly Change[], options: CarryOutOptions): Promise<void> {
  const { signal, done } = options;
  const forward = changes.filter(({ record }) => record !== undefined);
  const backward = changes.filter(({ record }) => record === undefined).reverse();
  let count = 0;
  for (const batch of [...batches(forward), ...batches(backward)]) {
    signal.throwIfAborted();
    const ops = batch.flatMap(operationOf);
    try {
      if (ops.length > 0) await client.multi(ops, { signal });
      for (const { acl, stat, difference } of batch)
        if (acl !== undefined && stat !== undefined)
          await client.setAcl(difference.path, acl, stat.aversion, { signal });
    } catch (error) {
      throw stopped(error, ops, count, changes.length);
    }
    count += batch.length;
    done(count);
  }
}

function* batches(changes: readonly Change[]): Generator<readonly Change[]> {
  let batch: Change[] = [];
  let bytes = 0;
  for (const change of changes) {
    const size = 2 * change.difference.path.length + (change.record?.data?.length ?? 0) + 100;
    if (batch.length > 0 && (batch.length >= BATCH_OPS || bytes + size > BATCH_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(change);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function operationOf({ record, difference, setsData, stat }: Change): MultiOp[] {
  const { path } = difference;
  if (record === undefined) return [{ op: 'delete', path, version: stat?.version ?? -1 }];
  if (stat === undefined) return [creation(record)];
  return setsData === true ? [{ op: 'set', path, data: record.data, version: stat.version }] : [];
}

const MOVED = { BadVersion: 12, NodeExists: 11, NoNode: 10, NotEmpty: 13 } as const;

function stopped(error: unknown, ops: readonly MultiOp[], count: number, total: number): unknown {
  if (!(error instanceof MultiError || error instanceof KeeperError)) return error;
  const exit = MOVED[error.code as keyof typeof MOVED] as (typeof MOVED)[keyof typeof MOVED] | undefined;
  if (exit === undefined) return error;
  const so = count === 0 ? 'nothing was changed' : `${plural(count, 'change')} of ${total} made before`;
  const { path } = error;
  const isMade = error instanceof MultiError && ops[error.index]?.op === 'create';
  const what =
    isMade && error.code === 'NoNode' && path !== undefined
      ? `the parent does not exist: ${parentOf(path)}`
      : `${path ?? 'a node'} is not what it was when this was planned`;
  return new Failure(exit, error.code, `${what}; ${so}`, {
    path,
    cause: error,
    hint: 'look at the difference again, and repeat it',
  });
}
