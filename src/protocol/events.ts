import { int, type Of, record, text } from './record.ts';

export const WatcherEvent = record({ type: int, state: int, path: text });
export type WatcherEvent = Of<typeof WatcherEvent>;

/** Event types as numbered on the wire; 5 to 7 are made by client libraries, no server sends them. */
export const EVENT = {
  NodeCreated: 1,
  NodeDeleted: 2,
  NodeDataChanged: 3,
  NodeChildrenChanged: 4,
  DataWatchRemoved: 5,
  ChildWatchRemoved: 6,
  PersistentWatchRemoved: 7,
} as const;
/** The only state a server puts into an event. */
export const STATE_SYNC_CONNECTED = 3;

/** Kinds of watch in removeWatches and checkWatches. */
export const WATCHER_TYPE = { children: 1, data: 2, any: 3, persistent: 4, persistentRecursive: 5 } as const;
/** Modes of addWatch. */
export const ADD_WATCH = { persistent: 0, persistentRecursive: 1 } as const;
