import type { Output } from '../shell/output.ts';
import { type Screen, toHuman } from './human.ts';
import { entriesOf, toJson } from './json.ts';
import { isDivided, partText } from './json-parts.ts';
import { toPlain } from './plain.ts';

export type Mode = 'human' | 'plain' | 'json' | 'ndjson';

/** Bytes of a result for standard output. */
export function render(output: Output, mode: Mode, screen: Screen, isTerminal: boolean): Uint8Array {
  if (mode === 'plain') return toPlain(output);
  if (mode === 'human')
    return Buffer.from(
      toHuman(output, screen)
        .map((line) => `${line}\n`)
        .join(''),
    );
  const indent = mode === 'json' && isTerminal ? 2 : undefined;
  if (mode === 'ndjson' && (output.type === 'differences' || output.type === 'matches'))
    return Buffer.from(
      entriesOf(output)
        .map((entry) => `${JSON.stringify(entry)}\n`)
        .join(''),
    );
  if (mode === 'ndjson' && output.type === 'events')
    return Buffer.from((toJson(output) as unknown[]).map((each) => `${JSON.stringify(each)}\n`).join(''));
  if (isDivided(output)) return Buffer.from(partText(output, indent));
  const isEmpty = output.type === 'many' && output.parts.length === 0;
  if (isEmpty) return new Uint8Array(0);
  if (mode === 'ndjson' && output.type === 'many')
    return Buffer.from(output.parts.map((part) => `${JSON.stringify(toJson(part))}\n`).join(''));
  return Buffer.from(`${JSON.stringify(toJson(output), null, indent)}\n`);
}
