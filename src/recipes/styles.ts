/**
 * The names of nodes by which contenders know each other. kazoo's and Curator's are facts of those libraries (kazoo 2.8,
 * Curator 5.4); each sees only its own, so one path belongs to one style.
 */
import type { Client } from '../client/api.ts';
import { unique } from './certain.ts';

export const STYLES = ['zoosh', 'kazoo', 'curator'] as const;
export type Style = (typeof STYLES)[number];

/** @throws RangeError */
export function checkStyle(style: Style | undefined): void {
  if (style !== undefined && !STYLES.includes(style))
    throw new RangeError(`a style is one of ${STYLES.join(', ')}, not ${style}`);
}

/** What a contender wants. `lock` and `write` are exclusive, `latch` is Curator's LeaderLatch, `lease` a semaphore's. */
export type Role = 'lock' | 'write' | 'read' | 'latch' | 'lease';

/** How the nodes of one role are called: a unique text, `infix`, ten digits. */
export interface Naming {
  readonly style: Style;
  readonly role: Role;
  /** Contenders that know each other; others on the same path would not. */
  readonly family: string;
  readonly infix: string;
}

const naming = (style: Style, role: Role, family: string, infix: string): Naming => ({ style, role, family, infix });
export const NAMINGS: readonly Naming[] = [
  naming('zoosh', 'lock', 'zoosh locks', '-lock-'),
  naming('zoosh', 'read', 'zoosh locks', '-read-'),
  naming('zoosh', 'lease', 'zoosh semaphore', '-lease-'),
  naming('kazoo', 'lock', 'kazoo locks', '__lock__'),
  naming('kazoo', 'read', 'kazoo locks', '__rlock__'),
  naming('curator', 'lock', 'Curator mutex', '-lock-'),
  naming('curator', 'write', 'Curator read-write lock', '-__WRIT__'),
  naming('curator', 'read', 'Curator read-write lock', '-__READ__'),
  naming('curator', 'latch', 'Curator leader latch', '-latch-'),
  naming('curator', 'lease', 'Curator semaphore', '-lease-'),
];

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const PREFIXES: Readonly<Record<Style, string>> = {
  zoosh: '[0-9a-f]{16}',
  kazoo: '.*', // what kazoo itself takes for a contender
  curator: `_c_${UUID}`,
};
const PATTERNS = NAMINGS.map((each) => ({
  naming: each,
  pattern: new RegExp(`^(?:${PREFIXES[each.style]})${each.infix}(-\\d{9,10}|\\d{10})$`),
}));

/** A node that contends. */
export interface Contender {
  readonly name: string;
  readonly naming: Naming;
  readonly sequence: number;
  /** The same as its name has it. */
  readonly digits: string;
}

/** After it a folder has no numbers left: ours and Apache's give this one again and again, or negative ones in between. */
export const LAST_SEQUENCE = 0x7fff_ffff;

/** Undefined for a node that is no contender of any style. */
export function contenderOf(name: string): Contender | undefined {
  for (const { naming: found, pattern } of PATTERNS) {
    const match = pattern.exec(name);
    const digits = match?.[1];
    if (digits !== undefined) return { name, naming: found, sequence: Number(digits), digits };
  }
  return undefined;
}

/** Sequence numbers are 32 bits and go round: the difference tells who came first. */
const order = (a: Contender, b: Contender): number => (a.sequence - b.sequence) | 0;

/** All contenders among the names, first come first. */
export const contenders = (names: readonly string[]): Contender[] =>
  names
    .map(contenderOf)
    .filter((each) => each !== undefined)
    .sort(order);

/** A name for a new contender, without its digits; nobody else's begins so. */
export function freshName(client: Client, { style, infix }: Naming): string {
  if (style === 'zoosh') return `${unique(client, 8)}${infix}`;
  if (style === 'kazoo') return `${unique(client, 16)}${infix}`;
  return `_c_${uuid(client)}${infix}`;
}

/** A UUID of version 4, as Java writes it. */
export function uuid(client: Client): string {
  const bytes = Buffer.from(client.random.bytes(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** What a recipe may be on a path, by what is there already; the first of a style is for an empty path. */
export interface Part {
  readonly naming: Naming;
  /** Roles of earlier contenders that keep it out. */
  readonly blockedBy: readonly Role[];
}
const part = (style: Style, role: Role, ...blockedBy: Role[]): Part => ({
  naming: NAMINGS.find((each) => each.style === style && each.role === role) as Naming,
  blockedBy,
});

const MUTEX = part('curator', 'lock', 'lock');
const WRITER = part('curator', 'write', 'write', 'read');
const LATCH = part('curator', 'latch', 'latch');
/** kazoo's Lock and WriteLock make the same nodes; who waits for earlier readers, too, is right beside both. */
const EXCLUSIVE = [part('zoosh', 'lock', 'lock', 'read'), part('kazoo', 'lock', 'lock', 'read')];

export const LOCK_PARTS: readonly Part[] = [...EXCLUSIVE, MUTEX, WRITER];
export const WRITE_PARTS: readonly Part[] = [...EXCLUSIVE, WRITER];
export const READ_PARTS: readonly Part[] = [
  part('zoosh', 'read', 'lock'),
  part('kazoo', 'read', 'lock'),
  part('curator', 'read', 'write'),
];
/** LeaderLatch on an empty path; LeaderSelector is a mutex. */
export const ELECTION_PARTS: readonly Part[] = [...EXCLUSIVE, LATCH, MUTEX];
export const LEASE_PARTS: readonly Part[] = [part('zoosh', 'lease', 'lease')];
