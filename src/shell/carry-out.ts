/** A plan put into effect, exactly as it was shown. */
import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import { type Client, MultiError, type MultiOp } from '../client/api.ts';
import { creation } from './bulk-create.ts';
import { Failure } from './failure.ts';
import type { Change } from './tree-plan.ts';

const BATCH_BYTES = 400_000;
const BATCH_OPS = 500;

export interface CarryOutOptions {
  readonly signal: AbortSignal;
  /** Told how many are made, also before something ends it. */
  readonly done: (count: number) => void;
}

/** In the order in which they are made. */
export function inTurn(changes: readonly Change[]): readonly (readonly Change[])[] {
  const isMade = ({ record }: Change): boolean => record !== undefined;
  return [changes.filter(isMade), changes.filter((change) => !isMade(change)).reverse()];
}

/**
 * Does the changes: nodes are made and set in order, then what goes goes, deepest first. Each is bound to the version that
 * was seen when it was planned. As many as fit are one transaction; ACLs cannot be part of one and follow it.
 * @throws Failure (10 to 13), MultiError: of that transaction alone, whatever was made before it
 */
export async function carryOut(client: Client, changes: readonly Change[], options: CarryOutOptions): Promise<void> {
  const { signal, done } = options;
  let count = 0;
  for (const batch of inTurn(changes).flatMap((each) => [...batches(each)])) {
    signal.throwIfAborted();
    const ops = batch.flatMap(operationOf);
    let made = count;
    try {
      if (ops.length > 0) await client.multi(ops, { signal });
      made += ops.length; // one a change at most
      for (const change of batch) {
        const { acl, stat, difference } = change;
        if (acl === undefined || stat === undefined) continue;
        await client.setAcl(difference.path, acl, stat.aversion, { signal });
        if (change.setsData !== true) made++;
      }
    } catch (error) {
      if (made > 0) done(made);
      throw stopped(error, ops, made);
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

function stopped(error: unknown, ops: readonly MultiOp[], made: number): unknown {
  if (!(error instanceof MultiError || error instanceof KeeperError)) return error;
  const exit = MOVED[error.code as keyof typeof MOVED] as (typeof MOVED)[keyof typeof MOVED] | undefined;
  if (exit === undefined) return error;
  const so = made === 0 ? '; nothing was changed' : '';
  const { path } = error;
  const isMade = error instanceof MultiError && ops[error.index]?.op === 'create';
  const what =
    isMade && error.code === 'NoNode' && path !== undefined
      ? `the parent does not exist: ${parentOf(path)}`
      : `${path ?? 'a node'} is not what it was when this was planned`;
  return new Failure(exit, error.code, `${what}${so}`, {
    path,
    cause: error,
    hint: 'look at the difference again, and repeat it',
  });
}
