import type { Output } from '../shell/output.ts';
import { type Screen, toHuman } from './human.ts';
import { toJson } from './json.ts';
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
  const isEmpty = output.type === 'many' && output.parts.length === 0;
  if (isEmpty) return new Uint8Array(0);
  if (mode === 'ndjson' && output.type === 'many')
    return Buffer.from(output.parts.map((part) => `${JSON.stringify(toJson(part))}\n`).join(''));
  const indent = mode === 'json' && isTerminal ? 2 : undefined;
  return Buffer.from(`${JSON.stringify(toJson(output), null, indent)}\n`);
}
