/**
 * Black-box linearizability: only calls, returns and values are looked at. Wing and Gong's search with Lowe's memory of
 * what was tried: states are reached by setting operations one after another, in an order that real time allows.
 */

/** One operation of a history. An unknown outcome has no return and counts for whatever fits, or for nothing. */
export interface Operation<Call, Result> {
  readonly client: number;
  readonly call: number;
  /** When it returned; infinite for one of which nobody knows whether it was done. */
  readonly return: number;
  readonly input: Call;
  /** Undefined where nobody knows. */
  readonly output: Result | undefined;
}
/** A sequential object. `apply` gives the state afterwards, or undefined when the result cannot be. */
export interface Sequential<State, Call, Result> {
  readonly first: State;
  apply(state: State, input: Call, output: Result | undefined): State | undefined;
  key(state: State): string;
}
export type Verdict = 'linearizable' | 'not linearizable' | 'given up';

interface Entry {
  readonly op: number;
  readonly isCall: boolean;
  readonly time: number;
  next: Entry | undefined;
  before: Entry | undefined;
  match: Entry | undefined;
}

const lift = (call: Entry): void => {
  const answer = call.match as Entry;
  for (const each of [call, answer]) {
    if (each.before !== undefined) each.before.next = each.next;
    if (each.next !== undefined) each.next.before = each.before;
  }
};
const unlift = (call: Entry): void => {
  const answer = call.match as Entry;
  for (const each of [answer, call]) {
    if (each.before !== undefined) each.before.next = each;
    if (each.next !== undefined) each.next.before = each;
  }
};

function link(history: readonly Operation<unknown, unknown>[]): Entry {
  const entries: Entry[] = [];
  history.forEach((operation, op) => {
    const call: Entry = {
      op,
      isCall: true,
      time: operation.call,
      next: undefined,
      before: undefined,
      match: undefined,
    };
    const answer: Entry = { ...call, isCall: false, time: operation.return };
    call.match = answer;
    entries.push(call, answer);
  });
  // a return and a call at one time overlap: the call first
  entries.sort((a, b) => a.time - b.time || Number(b.isCall) - Number(a.isCall));
  const head: Entry = { op: -1, isCall: false, time: -1, next: undefined, before: undefined, match: undefined };
  let last = head;
  for (const entry of entries) {
    last.next = entry;
    entry.before = last;
    last = entry;
  }
  return head;
}

/** `most` bounds the steps of the search. */
export function isLinearizable<State, Call, Result>(
  history: readonly Operation<Call, Result>[],
  model: Sequential<State, Call, Result>,
  most = 2_000_000,
): Verdict {
  const head = link(history);
  const known = history.filter((each) => each.return !== Number.POSITIVE_INFINITY).length;
  const done = new Uint32Array(Math.ceil(history.length / 32));
  let left = known;
  let state = model.first;
  const tried = new Set<string>();
  const stack: { entry: Entry; state: State }[] = [];
  let entry = head.next;
  for (let step = 0; left > 0; step++) {
    if (step > most) return 'given up';
    if (entry?.isCall) {
      const { input, output, return: end } = history[entry.op] as Operation<Call, Result>;
      const after = model.apply(state, input, output);
      if (after !== undefined) {
        const word = entry.op >> 5;
        done[word] = (done[word] as number) | (1 << (entry.op & 31));
        const memory = `${done.join()}|${model.key(after)}`;
        if (!tried.has(memory)) {
          tried.add(memory);
          stack.push({ entry, state });
          state = after;
          if (end !== Number.POSITIVE_INFINITY) left--;
          lift(entry);
          entry = head.next;
          continue;
        }
        done[word] = (done[word] as number) & ~(1 << (entry.op & 31));
      }
      entry = entry.next;
      continue;
    }
    // a return that comes before its operation was set: what was set last was set wrongly
    const undo = stack.pop();
    if (undo === undefined) return 'not linearizable';
    const { op } = undo.entry;
    done[op >> 5] = (done[op >> 5] as number) & ~(1 << (op & 31));
    if ((history[op] as Operation<Call, Result>).return !== Number.POSITIVE_INFINITY) left++;
    state = undo.state;
    unlift(undo.entry);
    entry = undo.entry.next;
  }
  return 'linearizable';
}
