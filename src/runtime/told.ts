import type { ServerNode } from './node.ts';

/**
 * Runs `go` once the tag of this start is durable: the leader that is dialled is told of it, and may write down that it was seen
 * (foundations.md 13.9). One that leads stores its epoch first, and the tag with it.
 */
export function whenTold(node: ServerNode, go: () => void): void {
  const { storage, ensemble } = node;
  if (storage.isTold) return go();
  storage.tellStart().then(
    () => {
      if (node.ensemble === ensemble && node.storage === storage) go();
    },
    (error: Error) => node.diskFailed(error),
  );
}
