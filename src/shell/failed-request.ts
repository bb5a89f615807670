/** What a request was that failed, where its error does not tell: what is said of it, and the exit code, depend on that. */
const reads = new WeakSet<Error>();
const deciders = new WeakMap<Error, string>();
const large = new WeakSet<Error>();

/** It only read, and no change waits for an answer. */
export function noteRead(error: unknown): void {
  if (error instanceof Error) reads.add(error);
}
export const isOfRead = (error: unknown): boolean => error instanceof Error && reads.has(error);

/** It asked for more than servers take unless they are set to. */
export function noteLarge(error: unknown): void {
  if (error instanceof Error) large.add(error);
}
export const isOfLarge = (error: unknown): boolean => error instanceof Error && large.has(error);

/** The node whose ACL said no, where it is another than the error names: a parent decides who makes and deletes below it. */
export function noteDecider(error: Error, path: string): void {
  deciders.set(error, path);
}
export const deciderOf = (error: Error): string | undefined => deciders.get(error);
