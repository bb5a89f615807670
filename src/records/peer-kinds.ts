/**
 * Kinds of value in what servers say to each other: how each goes into MessagePack and how it comes off, side by side.
 * A decoder believes nothing: ranges, counts and lengths are checked before anything is kept, and each kind is read in
 * the one form in which it is written. Faults are {@link RecordError}s that name the field.
 */
import { assert } from '../base/assert.ts';
import { type PackReader, type PackWriter, RecordError } from './pack.ts';

/** A kind of value. `write` takes only what `read` would accept; anything else is our own bug. */
export interface Kind<T> {
  write(to: PackWriter, value: T): void;
  read(from: PackReader): T;
}
export type Of<K> = K extends Kind<infer T> ? T : never;

/** A place in the history: epoch and counter, the halves of a zxid. 0, 0 is before everything. */
export interface Position {
  readonly epoch: number;
  readonly counter: number;
}

/** A place and the chain of hashes at it; the place before everything has the chain 0, 0. */
export interface Mark extends Position {
  readonly chainHi: number;
  readonly chainLo: number;
}

const isWithin = (n: number, least: number, most: number): boolean => Number.isInteger(n) && n >= least && n <= most;

/** A whole number of at most 31 bits. */
export const integer = (least: number, most: number): Kind<number> => ({
  write(to, value) {
    assert(isWithin(value, least, most), `${value} is not within ${least} and ${most}`);
    to.int(value);
  },
  read(from) {
    const value = from.int();
    if (!isWithin(value, least, most)) throw new RecordError(`${value} is not within ${least} and ${most}`);
    return value;
  },
});
/** A server id. */
export const sid = integer(1, 255);
export const epoch = integer(0, 0x7fff_ffff);
export const flag: Kind<boolean> = {
  write: (to, value) => to.int(value ? 1 : 0),
  read(from) {
    const value = from.int();
    if (value !== 0 && value !== 1) throw new RecordError(`${value} is neither 0 nor 1`);
    return value === 1;
  },
};
/** A zxid. */
export const position: Kind<Position> = {
  write(to, { epoch, counter }) {
    assert(isWithin(epoch, 0, 0x7fff_ffff) && isWithin(counter, 0, 0xffff_ffff), 'not a position');
    to.int64(epoch, counter | 0);
  },
  read(from) {
    from.int64();
    if (from.hi < 0) throw new RecordError(`epoch ${from.hi}`);
    return { epoch: from.hi, counter: from.lo >>> 0 };
  },
};
export const mark: Kind<Mark> = {
  write(to, value) {
    to.array(2);
    position.write(to, value);
    to.int64(value.chainHi | 0, value.chainLo | 0);
  },
  read(from) {
    from.tuple(2);
    const { epoch, counter } = position.read(from);
    from.int64();
    return { epoch, counter, chainHi: from.hi, chainLo: from.lo };
  },
};
/** A signed integer of 64 bits, such as a session id. */
export const long: Kind<bigint> = { write: (to, value) => to.big(value), read: (from) => from.big() };
/** Bytes or milliseconds, up to 2^53 - 1. */
export const size: Kind<number> = {
  write(to, value) {
    assert(isWithin(value, 0, Number.MAX_SAFE_INTEGER), `${value} is no size`);
    to.millis(value);
  },
  read(from) {
    const value = from.millis();
    if (!isWithin(value, 0, Number.MAX_SAFE_INTEGER)) throw new RecordError(`${value} is no size`);
    return value;
  },
};
/** Names that {@link hex} remembers in both forms; by their last byte. */
const NAMES = 64;
/**
 * Random bytes that name something, as lower-case hexadecimal text; `count` bytes on the wire. The few names that come again with
 * every acknowledgement are not turned from one form into the other each time.
 */
export function hex(count: number): Kind<string> {
  const known: ({ readonly text: string; readonly bytes: Buffer } | undefined)[] = new Array(NAMES).fill(undefined);
  let written: { readonly text: string; readonly bytes: Buffer } | undefined;
  return {
    write(to, value) {
      if (written?.text !== value) {
        const bytes = Buffer.from(value, 'hex');
        assert(bytes.length === count && value.length === count * 2, `not ${count} bytes in hexadecimal`);
        written = { text: value, bytes };
      }
      to.bin(written.bytes);
    },
    read(from) {
      const { bytes } = from;
      const length = from.binLength();
      const start = from.at;
      from.at += length;
      if (length !== count) throw new RecordError(`${length} bytes where ${count} belong`);
      const at = (bytes[start + count - 1] as number) % NAMES;
      const name = known[at];
      if (name !== undefined && isAt(bytes, start, name.bytes)) return name.text;
      const found = Buffer.from(bytes.subarray(start, start + count));
      const text = found.toString('hex');
      known[at] = { text, bytes: found };
      return text;
    },
  };
}
function isAt(bytes: Buffer, start: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false;
  return true;
}
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Text of at most `most` bytes of UTF-8. */
export const text = (most: number): Kind<string> => ({
  write(to, value) {
    assert(Buffer.byteLength(value) <= most, `a text of more than ${most} bytes`);
    to.text(value);
  },
  read(from) {
    const length = from.textLength();
    if (length > most) throw new RecordError(`a text of ${length} bytes; at most ${most} are accepted`);
    const start = from.at;
    from.at += length;
    try {
      return utf8.decode(from.bytes.subarray(start, start + length));
    } catch {
      throw new RecordError('text that is not UTF-8');
    }
  },
});
/** `least` to `most` bytes. What is read is a view on the frame: copy what is kept longer than that. */
export const bytes = (most: number, least = 0): Kind<Uint8Array> => ({
  write(to, value) {
    assert(isWithin(value.length, least, most), `${value.length} bytes where ${least} to ${most} belong`);
    to.bin(value);
  },
  read(from) {
    const found = from.bin();
    if (!isWithin(found.length, least, most))
      throw new RecordError(`${found.length} bytes where ${least} to ${most} belong`);
    return found;
  },
});
/** One of a few words, as its number in the list. Words may be added at the end, for a higher feature level. */
export const oneOf = <const Words extends readonly string[]>(...words: Words): Kind<Words[number]> => ({
  write(to, value) {
    const number = words.indexOf(value);
    assert(number >= 0, `${value} is none of ${words.join(', ')}`);
    to.int(number);
  },
  read(from) {
    const number = from.int();
    const word = words[number];
    if (word === undefined) throw new RecordError(`${number} where one of ${words.length} words belongs`);
    return word;
  },
});
export const nullable = <T>(kind: Kind<T>): Kind<T | null> => ({
  write: (to, value) => (value === null ? to.nil() : kind.write(to, value)),
  read: (from) => (from.isNil() ? null : kind.read(from)),
});
/** At most `most` values of one kind. */
export const list = <T>(kind: Kind<T>, most: number): Kind<readonly T[]> => ({
  write(to, values) {
    assert(values.length <= most, `${values.length} entries; at most ${most} are accepted`);
    to.array(values.length);
    for (const value of values) kind.write(to, value);
  },
  read(from) {
    const count = from.array();
    if (count > most) throw new RecordError(`${count} entries; at most ${most} are accepted`);
    const values: T[] = [];
    for (let i = 0; i < count; i++) values.push(within(i, kind, from));
    return values;
  },
});

/** Reads one value; a fault is told with the name of its field in front. */
function within<T>(name: string | number, kind: Kind<T>, from: PackReader): T {
  try {
    return kind.read(from);
  } catch (fault) {
    throw fault instanceof RecordError ? new RecordError(`${name}: ${fault.message}`) : fault;
  }
}

export type Fields = Readonly<Record<string, Kind<unknown>>>;
export type ValueOf<F extends Fields> = { readonly [Name in keyof F]: Of<F[Name]> };

/** Fields in the order given, as one array of exactly that many elements. The description is walked once, here. */
export function record<const F extends Fields>(fields: F): Kind<ValueOf<F>> {
  const entries = Object.entries(fields) as [string, Kind<unknown>][];
  return {
    write(to, value) {
      to.array(entries.length);
      for (const [name, kind] of entries) kind.write(to, (value as Record<string, unknown>)[name]);
    },
    read(from) {
      from.tuple(entries.length);
      const value: Record<string, unknown> = {};
      for (const [name, kind] of entries) value[name] = within(name, kind, from);
      return value as ValueOf<F>;
    },
  };
}

/** A message's number on the wire, for ever, and its fields. */
export interface Shape {
  readonly code: number;
  readonly fields: Fields;
}
export type UnionOf<S extends Readonly<Record<string, Shape>>> = {
  [Name in keyof S]: { readonly type: Name } & ValueOf<S[Name]['fields']>;
}[keyof S];

/** The fields of a shape in straight code, in their order and by their kinds: what {@link union} would do with it, in less time. */
export type Straight<S extends Readonly<Record<string, Shape>>> = {
  readonly [Name in keyof S]?: Kind<{ readonly type: Name } & ValueOf<S[Name]['fields']>>;
};

/** Several shapes told apart by `type`: one array of the number and the fields. `straight`: of those that are read most. */
export function union<const S extends Readonly<Record<string, Shape>>>(
  shapes: S,
  straight: Straight<S> = {},
): Kind<UnionOf<S>> {
  type Field = { name: string; path: string; kind: Kind<unknown> };
  type Row = { type: string; code: number; fields: Field[]; straight: Kind<UnionOf<S>> | undefined };
  const rows = Object.entries(shapes).map(([type, { code, fields }]): Row => {
    const entries = Object.entries(fields);
    return {
      type,
      code,
      fields: entries.map(([name, kind]) => ({ name, path: `${type}.${name}`, kind })),
      straight: straight[type] as unknown as Kind<UnionOf<S>> | undefined,
    };
  });
  const byType = new Map(rows.map((row) => [row.type, row]));
  const byCode = new Map(rows.map((row) => [row.code, row]));
  assert(byCode.size === rows.length, 'two messages have one number');
  return {
    write(to, value) {
      const row = byType.get(value.type as string);
      assert(row !== undefined, `no message ${String(value.type)}`);
      to.array(row.fields.length + 1);
      to.int(row.code);
      if (row.straight !== undefined) return row.straight.write(to, value);
      for (const { name, kind } of row.fields) kind.write(to, (value as Record<string, unknown>)[name]);
    },
    read(from) {
      const count = from.array();
      const code = from.int();
      const row = byCode.get(code);
      if (row === undefined) throw new RecordError(`no message has the number ${code}`);
      const { type, fields } = row;
      if (count !== fields.length + 1)
        throw new RecordError(`${type}: ${count - 1} fields where ${fields.length} belong`);
      if (row.straight !== undefined) {
        const { at } = from;
        try {
          return row.straight.read(from);
        } catch (fault) {
          if (!(fault instanceof RecordError)) throw fault;
          from.at = at; // once more, field by field, for the name of the one that is wrong
        }
      }
      const value: Record<string, unknown> = { type };
      for (const { name, path, kind } of fields) value[name] = within(path, kind, from);
      return value as UnionOf<S>;
    },
  };
}
