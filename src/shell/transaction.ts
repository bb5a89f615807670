/** Operations that wait for one another: what `txn` collects and `--atomic` makes of a script. */
import { KEEPER_CODES, type KeeperCode, reasonOf } from '../base/errors.ts';
import { type Client, MultiError, type MultiResult } from '../client/api.ts';
import { EXIT_OF_KEEPER } from './exit-codes.ts';
import { Failure, usage } from './failure.ts';
import type { Output } from './output.ts';
import { type Change, limitOf, operationsOf, Recorder, sizeOf } from './recorder.ts';
import { plural, showCount } from './units.ts';

/** A transaction being written. */
export class Pending {
  /** `txn` at the prompt or in a script, or a whole script under `--atomic`. */
  readonly kind: 'txn' | 'atomic';
  #changes: Change[] = [];
  #recorder: Recorder | undefined;
  #inner: Client | undefined;
  /** It was said that reads see the tree as it was. */
  warned = false;

  constructor(kind: Pending['kind']) {
    this.kind = kind;
  }

  get changes(): readonly Change[] {
    this.#collect();
    return this.#changes;
  }

  /** What commands change through this is kept instead of sent. */
  over(client: Client): Recorder {
    this.#collect();
    if (this.#recorder === undefined || this.#inner !== client) {
      this.#recorder = new Recorder(client, { checks: this.kind === 'atomic' });
      this.#inner = client;
    }
    return this.#recorder;
  }

  /** Takes operation `number` (from 1) out again. @throws Failure (2) */
  drop(number: number): void {
    this.#collect();
    if (this.#changes[number - 1] === undefined)
      throw usage(`txn drop: there is no operation ${number}`, 'txn show lists them');
    this.#changes.splice(number - 1, 1);
  }

  #collect(): void {
    const added = this.#recorder?.take() ?? [];
    const odd = added.find(({ op }) => op === undefined);
    if (odd !== undefined)
      throw usage(
        `a change of ${odd.kind === 'acl' ? 'an ACL' : 'the members'} cannot be part of a transaction`,
        'create, set, delete and check can',
      );
    this.#changes.push(...added);
  }
}

interface Row {
  readonly op: string;
  readonly path: string;
  readonly outcome: string;
  /** Of a check that waits: what must be. */
  readonly version?: number | 'absent';
}

const tableOf = (rows: readonly Row[]): Output => ({
  type: 'table',
  columns: [
    { name: '#', right: true },
    { name: 'op' },
    { name: 'path', isPath: true },
    { name: 'outcome' },
    { name: 'version' },
  ],
  rows: rows.map(({ op, path, outcome, version }, at) => [
    String(at + 1),
    op,
    path,
    outcome,
    version === undefined ? '' : String(version),
  ]),
  json: rows,
});

/** The operations waiting, for `txn show`. */
export const pendingTable = (changes: readonly Change[]): Output =>
  tableOf(
    changes.map(({ kind, path, note, version }) => ({
      op: kind,
      path,
      outcome: 'waiting',
      ...(kind === 'check' && note === 'absent' && { version: 'absent' as const }),
      ...(kind === 'check' && version !== undefined && version >= 0 && { version }),
    })),
  );

export interface Committed {
  readonly output: Output;
  readonly failure?: Failure;
  /** Per change: the path made, or undefined. */
  readonly made: readonly (string | undefined)[];
}

/** @throws Failure (2, 19) for what would not be sent */
export function refuseUnsendable(changes: readonly Change[]): void {
  const { ops } = operationsOf(changes);
  if (ops.length === 0) throw usage('the transaction is empty', 'create, set, delete and check add operations');
  const size = sizeOf(ops);
  const limit = limitOf(changes);
  if (size > limit)
    throw new Failure(19, 'TooLarge', `the transaction is too large for one request: about ${showCount(size)} bytes`, {
      hint: `servers take requests up to ${showCount(limit)} bytes (jute.maxbuffer); make it smaller`,
    });
}

/** Sends everything as one request. @throws Failure (2, 19) before anything is sent; KeeperError when the answer is lost */
export async function commitAll(client: Client, changes: readonly Change[], signal: AbortSignal): Promise<Committed> {
  refuseUnsendable(changes);
  const { ops, owner } = operationsOf(changes);
  try {
    const results = await client.multi(ops, { signal, maxRequestBytes: limitOf(changes) });
    const byChange = new Map<number, MultiResult>();
    for (const [at, result] of results.entries())
      if (!byChange.has(owner[at] as number)) byChange.set(owner[at] as number, result);
    const rows = changes.map((change, at): Row => rowOf(change, byChange.get(at)));
    return {
      output: tableOf(rows),
      made: changes.map(({ kind }, at) => (kind === 'create' ? rows[at]?.path : undefined)),
    };
  } catch (error) {
    if (!(error instanceof MultiError)) throw error;
    const failed = owner[error.index] ?? 0;
    const made = changes[failed]?.kind === 'create' && error.code === 'NoNode';
    const why = made ? 'the parent does not exist' : reasonIn(error.code);
    const rows = changes.map(({ kind, path }, at): Row => {
      const outcome = at === failed ? why : at < failed && kind === 'check' ? 'ok' : 'not applied';
      return { op: kind, path, outcome };
    });
    const message = `transaction rolled back, nothing changed (operation ${failed + 1}: ${why})`;
    return {
      output: tableOf(rows),
      made: [],
      failure: new Failure(EXIT_OF_KEEPER[error.code], error.code, message, {
        path: changes[failed]?.path,
        cause: error,
      }),
    };
  }
}

function rowOf({ kind, path, note }: Change, result: MultiResult | undefined): Row {
  if (kind === 'check') return { op: kind, path, outcome: note === 'absent' ? 'absent' : 'ok' };
  if (result?.op === 'create') return { op: kind, path: result.path, outcome: 'ok', version: 0 };
  if (result?.op === 'set') return { op: kind, path, outcome: 'ok', version: result.stat.version };
  return { op: kind, path, outcome: 'ok' };
}

const reasonIn = (code: KeeperCode): string => (code in KEEPER_CODES ? reasonOf(code) : code);

/** Why a script that is one transaction went no further: which operation it was, and that none of them was sent. */
export function unapplied(
  failure: Failure,
  command: string,
  changes: { readonly isAtomic: boolean; readonly waiting: number | undefined },
): Failure {
  if (!changes.isAtomic) return failure;
  const { exit, code, message, path, hint, lines } = failure;
  const which = `operation ${(changes.waiting ?? 0) + 1}: ${command.trim()}`;
  return new Failure(exit, code, message, {
    path,
    hint,
    lines: [...lines, which, 'nothing was applied'],
    cause: failure,
  });
}

/** What `--dry-run` says of one command. */
export function planOf(changes: readonly Change[]): Output {
  const count = (kind: Change['kind']): number => changes.filter((change) => change.kind === kind).length;
  const parts = (
    [
      ['create', 'create'],
      ['set', 'change'],
      ['delete', 'delete'],
      ['acl', 'change the ACL of'],
      ['reconfig', 'change the members'],
    ] as const
  ).flatMap(([kind, word]) =>
    count(kind) === 0 ? [] : [`${word} ${kind === 'reconfig' ? '' : plural(count(kind), 'node')}`.trimEnd()],
  );
  return {
    type: 'plan',
    changes: changes.filter(({ kind }) => kind !== 'check'),
    summary: parts.length === 0 ? 'nothing would change' : `would ${parts.join(', ')}`,
  };
}
