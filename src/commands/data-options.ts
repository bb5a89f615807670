/** Where the data of create, set and put may come from besides the word itself. */

import { KeeperError } from '../base/errors.ts';
import type { OpOptions } from '../client/api.ts';
import type { CommandContext, Data, Param } from '../shell/command.ts';
import { checkSize, decodeData, FORCED_LIMIT, isTooLarge, readDataFile } from '../shell/data.ts';
import { Failure, usage } from '../shell/failure.ts';

export const DATA_OPTIONS = {
  base64: { kind: 'flag', short: '-b', long: '--base64', about: 'the data is given in base64' },
  hex: { kind: 'flag', short: '-x', long: '--hex', about: 'the data is given in hexadecimal' },
  text: { kind: 'text', long: '--text', about: 'the data, taken as it is: no @, no option', placeholder: 'VALUE' },
  file: { kind: 'file', long: '--file', about: 'the data is what this file holds' },
  stdin: { kind: 'flag', long: '--stdin', about: 'the data is standard input' },
  noData: { kind: 'flag', long: '--null', about: 'no data at all, which is not empty data' },
  forceSize: { kind: 'flag', long: '--force-size', about: 'send it even if servers take less by default' },
} as const satisfies Record<string, Param>;

export interface DataValues {
  readonly data: Data | undefined;
  readonly base64: boolean;
  readonly hex: boolean;
  readonly text: string | undefined;
  readonly file: string | undefined;
  readonly stdin: boolean;
  readonly noData: boolean;
  readonly forceSize: boolean;
}

/** The data said, decoded and not too large; undefined when none was. @throws Failure (2, 19) */
export function dataSaid(name: string, path: string, values: DataValues, context: CommandContext): Data | undefined {
  const { data: word, text, file, stdin, noData } = values;
  const said = [word !== undefined, text !== undefined, file !== undefined, stdin, noData].filter(Boolean).length;
  if (said > 1) throw usage(`${name}: the data is given twice`);
  if (said === 0) return undefined;
  const bytes = (): Data => {
    if (text !== undefined) return Buffer.from(text);
    if (file !== undefined) return readDataFile(file);
    return stdin ? context.stdin() : (word ?? null);
  };
  const data = decodeData(noData ? null : bytes(), values);
  if (!values.forceSize) checkSize(path, data);
  return data;
}

/**
 * Sends data, with --force-size whatever it measures. A server that takes less hangs up on it, and is said to.
 * @throws Failure (6)
 */
export async function sendData<T>(
  { forceSize }: Pick<DataValues, 'forceSize'>,
  path: string,
  data: Data,
  send: (options: Pick<OpOptions, 'maxRequestBytes'>) => Promise<T>,
): Promise<T> {
  if (!forceSize || !isTooLarge(path, data)) return send({});
  try {
    return await send({ maxRequestBytes: FORCED_LIMIT });
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'ConnectionLoss') throw error;
    throw new Failure(6, error.code, `outcome unknown: the connection broke before a reply came: ${path}`, {
      path,
      hint: 'a server hangs up on what is larger than its jute.maxbuffer; its log says so',
      cause: error,
    });
  }
}
