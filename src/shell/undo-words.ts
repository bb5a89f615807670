import type { Output } from './output.ts';
import type { TrashDraft } from './trash.ts';

/** The answer of bulk work, for people, with how to take it back where it was kept: what was done last is the first of `undo list`. */
export function withUndo(output: Output | undefined, draft: TrashDraft | undefined): Output | undefined {
  if (draft?.keeps !== true || output === undefined) return output;
  const words = '(undo: undo 1)';
  const isMuch = output.type === 'deleted' && (output.count > 1 || (output.isFound === true && output.count > 0));
  if (output.type === 'deleted' && (output.isTree === true || isMuch))
    return { ...output, note: output.note === undefined ? `  ${words}` : `${output.note}   ${words}` };
  return output.type === 'counts' || (output.type === 'done' && output.isBulk === true)
    ? { ...output, text: `${output.text}   ${words}` }
    : output;
}
