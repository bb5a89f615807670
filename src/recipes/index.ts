/** What people came to ZooKeeper for, on the client: see docs/recipes.md. */
export { Barrier, DoubleBarrier } from './barrier.ts';
export { type CacheChange, type CachedNode, ConfigCache, type ConfigCacheOptions } from './config-cache.ts';
export { Counter } from './counter.ts';
export { Election, type Leader } from './election.ts';
export { RecipeError, type RecipeFault } from './errors.ts';
export { Group, type Member } from './group.ts';
export { Lock, ReadWriteLock, type RecipeOptions } from './lock.ts';
export { LockingQueue, type Taken } from './locking-queue.ts';
export { type Standing, standings } from './look.ts';
export { type Item, type PutOptions, Queue } from './queue.ts';
export { Semaphore } from './semaphore.ts';
export { type Role, STYLES, type Style } from './styles.ts';
export type { Hold, HoldState } from './tenure.ts';
export type { WaitOptions } from './waiting.ts';
