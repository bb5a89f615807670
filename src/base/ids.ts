declare const brand: unique symbol;
/** A base type with a name of its own, so that two ids cannot change places. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Names one transaction for ever: the epoch of its leader (high 32 bits), its place in that epoch (low 32). */
export type Zxid = Brand<bigint, 'Zxid'>;
/** A session, signed 64 bits as on the wire. */
export type SessionId = Brand<bigint, 'SessionId'>;
/** A member of an ensemble, 1 to 254. */
export type ServerId = Brand<number, 'ServerId'>;

const COUNTER_MAX = 0xffff_ffffn;

/** Arithmetic on zxids; always on 64-bit integers. */
export const zxid = {
  zero: 0n as Zxid,
  of: (epoch: number, counter: number): Zxid => ((BigInt(epoch) << 32n) | BigInt(counter >>> 0)) as Zxid,
  epoch: (z: Zxid): number => Number(z >> 32n),
  counter: (z: Zxid): number => Number(z & COUNTER_MAX),
  /** The next in the same epoch, or undefined when the epoch is used up and a new leader must be elected. */
  next: (z: Zxid): Zxid | undefined => ((z & COUNTER_MAX) === COUNTER_MAX ? undefined : ((z + 1n) as Zxid)),
  /** `0x500000001`, the form people read. */
  show: (z: bigint): string => `0x${BigInt.asUintN(64, z).toString(16)}`,
};

/** `0x` and 1 to 16 hexadecimal digits, as ZooKeeper prints session ids. */
export const showSession = (id: bigint): string => `0x${BigInt.asUintN(64, id).toString(16)}`;
