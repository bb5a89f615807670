/** What can be held, and how; shared by tests that hurt holders and waiters. */
import {
  type Client,
  Election,
  type Hold,
  Lock,
  ReadWriteLock,
  Semaphore,
  STYLES,
  type Style,
} from '../../src/index.ts';
import { amount } from '../amount.ts';

/** Styles differ in names only where one of them is enough. */
export const SOME: readonly Style[] = STYLES.slice(0, amount(STYLES.length, 1));

export type Acquire = (client: Client, path: string, style: Style) => Promise<Hold>;
export const HOLDERS: readonly (readonly [name: string, acquire: Acquire])[] = [
  ['lock', (client, path, style) => new Lock(client, path, { style }).acquire()],
  ['reader', (client, path, style) => new ReadWriteLock(client, path, { style }).read.acquire()],
  ['writer', (client, path, style) => new ReadWriteLock(client, path, { style }).write.acquire()],
  ['semaphore', (client, path, style) => new Semaphore(client, path, 1, { style }).acquire()],
  ['leader', (client, path, style) => new Election(client, path, { style }).campaign()],
];
