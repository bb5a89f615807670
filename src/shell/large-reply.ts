import type { Client, StateChange } from '../client/api.ts';

/** A reply beyond what is taken: the client hangs up on it, and whatever waits for an answer fails. */
export interface LargeReply {
  readonly bytes: number;
  readonly limit: number;
  /** What it was the reply to. */
  readonly path?: string | undefined;
}

const lost = new WeakMap<Client, LargeReply>();
const failed = new WeakMap<Error, LargeReply>();

/** The client takes a length beyond its bound for another protocol's; all that it tells is why it hung up. */
export function largeReplyIn(reason: string | undefined): LargeReply | undefined {
  const found = /a frame of (\d+) bytes; at most (\d+) are accepted/.exec(reason ?? '');
  return found === null ? undefined : { bytes: Number(found[1]), limit: Number(found[2]) };
}

/** What a client tells of its connection, which comes before the requests fail that were under way. */
export function noteConnection(client: Client, { state, reason }: StateChange): void {
  const reply = state === 'suspended' ? largeReplyIn(reason) : undefined;
  if (reply === undefined) lost.delete(client);
  else lost.set(client, reply);
}

/** A read of `path` got no answer. Answers come in the order of the questions: it was the reply to the first of them. */
export function noteUnanswered(error: unknown, client: Client, path: string | undefined): void {
  const reply = lost.get(client);
  if (reply === undefined || !(error instanceof Error)) return;
  const whose = { path, ...reply };
  lost.set(client, whose);
  failed.set(error, whose);
}

/** For what reply the connection was given up on which this got no answer. */
export const largeReplyOf = (error: unknown): LargeReply | undefined =>
  error instanceof Error ? failed.get(error) : undefined;
