/** Where the data of create, set, put and queue put may come from besides the word itself. */

import type { OpOptions } from '../client/api.ts';
import type { CommandContext, Data, Param } from '../shell/command.ts';
import { checkSize, decodeData, FORCED_LIMIT, isStdin, readDataFile } from '../shell/data.ts';
import { usage } from '../shell/failure.ts';

export const DATA_FORMS = {
  base64: { kind: 'flag', short: '-b', long: '--base64', about: 'the data is given in base64' },
  hex: { kind: 'flag', short: '-x', long: '--hex', about: 'the data is given in hexadecimal' },
  text: { kind: 'text', long: '--text', about: 'the data, taken as it is: no @, no option', placeholder: 'VALUE' },
  file: { kind: 'file', long: '--file', about: 'the data is what this file holds' },
  stdin: { kind: 'flag', long: '--stdin', about: 'the data is standard input' },
  noData: { kind: 'flag', long: '--null', about: 'no data at all, which is not empty data' },
} as const satisfies Record<string, Param>;

export const DATA_OPTIONS = {
  ...DATA_FORMS,
  forceSize: { kind: 'flag', long: '--force-size', about: 'send up to 64 MiB, whatever servers take by default' },
} as const satisfies Record<string, Param>;

export interface DataValues {
  readonly data: Data | undefined;
  readonly base64: boolean;
  readonly hex: boolean;
  readonly text: string | undefined;
  readonly file: string | undefined;
  readonly stdin: boolean;
  readonly noData: boolean;
  /** Undefined: there is no way to send more than servers take by default. */
  readonly forceSize?: boolean;
}

/** The data said, decoded and not too large; undefined when none was. @throws Failure (2, 19) */
export function dataSaid(name: string, path: string, values: DataValues, context: CommandContext): Data | undefined {
  const { data: word, text, file, stdin, noData } = values;
  const said = [word !== undefined, text !== undefined, file !== undefined, stdin, noData].filter(Boolean).length;
  if (said > 1) throw usage(`${name}: the data is given twice`);
  if (said === 0) {
    const how = values.base64 ? '-b' : values.hex ? '-x' : undefined;
    if (how !== undefined)
      throw usage(`${name}: ${how} says how the data is written, and there is none`, `${name} PATH ${how} DATA`);
    return undefined;
  }
  const bytes = (): Data => {
    if (text !== undefined) return Buffer.from(text);
    if (file !== undefined && !isStdin(file)) return readDataFile(file);
    return stdin || file !== undefined ? context.stdin() : (word ?? null);
  };
  const data = decodeData(noData ? null : bytes(), values);
  if (values.forceSize !== true) checkSize(path, data, { canForce: values.forceSize !== undefined });
  return data;
}

/** How large the request may be that carries the data. */
export const sizeOptions = ({ forceSize }: Pick<DataValues, 'forceSize'>): Pick<OpOptions, 'maxRequestBytes'> =>
  forceSize === true ? { maxRequestBytes: FORCED_LIMIT } : {};
