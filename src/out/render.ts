import type { Output } from '../shell/output.ts';
import { hasRecords, headerOf, renderFields, toTable } from './fields.ts';
import { type Screen, toHuman } from './human.ts';
import { entriesOf, toJson } from './json.ts';
import { isDivided, partText } from './json-parts.ts';
import type { Mode } from './modes.ts';
import { toPlain } from './plain.ts';
import { toZkcli } from './zkcli.ts';

export interface Wishes {
  readonly mode: Mode;
  /** Which fields, in this order. */
  readonly fields?: readonly string[] | undefined;
  /** Plain output says the names of its fields first. */
  readonly header?: boolean | undefined;
  /** JSON is written out for reading. */
  readonly isTerminal: boolean;
}

const linesOf = (lines: readonly string[]): Buffer => Buffer.from(lines.map((line) => `${line}\n`).join(''));

/** Bytes of a result for standard output. @throws Failure (2) for a field there is not */
export function render(output: Output, wishes: Wishes, screen: Screen): Uint8Array {
  const { mode, fields, header = false, isTerminal } = wishes;
  if (fields !== undefined && hasRecords(output)) return renderFields(output, fields, wishes, screen);
  if (mode === 'plain') {
    const isFirst = !isDivided(output) || output.part === 'first';
    const names = header && isFirst ? headerOf(output) : undefined;
    return Buffer.concat([Buffer.from(names === undefined ? '' : `${names.join('\t')}\n`), toPlain(output)]);
  }
  if (mode === 'zkcli') return toZkcli(output);
  if (mode === 'table') return linesOf(toTable(output, screen) ?? toHuman(output, screen));
  if (mode === 'human') return linesOf(toHuman(output, screen));
  const indent = mode === 'json' && isTerminal ? 2 : undefined;
  const each = mode === 'ndjson' ? entriesOf(output) : undefined;
  if (each !== undefined) return linesOf(each.map((entry) => JSON.stringify(entry)));
  if (isDivided(output)) return Buffer.from(partText(output, indent));
  const isEmpty =
    (output.type === 'many' && output.parts.length === 0) || (output.type === 'steps' && output.json === undefined);
  if (isEmpty) return new Uint8Array(0);
  if (mode === 'ndjson' && output.type === 'many')
    return Buffer.from(output.parts.map((part) => `${JSON.stringify(toJson(part))}\n`).join(''));
  return Buffer.from(`${JSON.stringify(toJson(output), null, indent)}\n`);
}
