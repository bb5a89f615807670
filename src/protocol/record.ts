import type { Reader, Writer } from './bytes.ts';

/** A kind of value: how it goes onto the wire and how it comes off, side by side. */
export interface Kind<T> {
  write(to: Writer, value: T): void;
  read(from: Reader): T;
}
export type Of<K> = K extends Kind<infer T> ? T : never;

export const bool: Kind<boolean> = { write: (to, value) => to.bool(value), read: (from) => from.bool() };
export const int: Kind<number> = { write: (to, value) => to.int32(value), read: (from) => from.int32() };
export const long: Kind<bigint> = { write: (to, value) => to.int64(value), read: (from) => from.int64() };
export const text: Kind<string | null> = { write: (to, value) => to.text(value), read: (from) => from.text() };
/** Bytes; what is read is a view on the frame. */
export const buffer: Kind<Uint8Array | null> = {
  write: (to, value) => to.buffer(value),
  read: (from) => from.buffer(),
};
/** A time as jute carries it, in ms since 1970, which fits a number. */
export const time: Kind<number> = {
  write: (to, value) => to.int64(BigInt(value)),
  read: (from) => Number(from.int64()),
};

/** A vector; null and empty differ on the wire. */
export const list = <T>(item: Kind<T>): Kind<readonly T[] | null> => ({
  write(to, values) {
    to.int32(values?.length ?? -1);
    for (const value of values ?? []) item.write(to, value);
  },
  read(from) {
    const count = from.count();
    if (count === -1) return null;
    const values: T[] = [];
    for (let i = 0; i < count; i++) values.push(item.read(from));
    return values;
  },
});

/** Fields one after another, in the order given: no tags, no padding. The description is walked once, here. */
export function record<F extends Readonly<Record<string, Kind<unknown>>>>(
  fields: F,
): Kind<{ readonly [Name in keyof F]: Of<F[Name]> }> {
  type T = { readonly [Name in keyof F]: Of<F[Name]> };
  const names = Object.keys(fields);
  const kinds = Object.values(fields) as unknown as Kind<unknown>[];
  const count = names.length;
  return {
    write(to, value) {
      for (let i = 0; i < count; i++)
        (kinds[i] as Kind<unknown>).write(to, (value as Record<string, unknown>)[names[i] as string]);
    },
    read(from) {
      const value: Record<string, unknown> = {};
      for (let i = 0; i < count; i++)
        value[names[i] as string] = from.within(names[i] as string, (kinds[i] as Kind<unknown>).read);
      return value as T;
    },
  };
}
