/** The line the editor works on, seen from outside, since its doors show no cursor; and what simple keys make of it. */
import type { Key } from '../../src/editor/keys.ts';
import { LineState } from '../../src/editor/state.ts';
import { type Edited, edited } from './fuzz-model.ts';

export const spy: {
  line: LineState | undefined;
  /** A key did something else than it must. */
  wrong: string | undefined;
  /** A promise may have been kept: whoever waits for it must run before anything else happens. */
  awaited: boolean;
} = { line: undefined, wrong: undefined, awaited: false };

const ghost = Object.getOwnPropertyDescriptor(LineState.prototype, 'ghost')?.get as (this: LineState) => string;
Object.defineProperty(LineState.prototype, 'ghost', {
  get(this: LineState) {
    spy.line = this;
    return ghost.call(this);
  },
});
const press = LineState.prototype.press;
LineState.prototype.press = function (this: LineState, key: Key) {
  spy.line = this;
  const { text, cursor } = this;
  const expected = expectedOf(this, key);
  const effects = press.call(this, key);
  spy.awaited ||= effects.some(({ type }) => type === 'submit' || type === 'interrupt' || type === 'eof');
  if (expected !== undefined && (this.text !== expected.text || this.cursor !== expected.cursor))
    spy.wrong ??= [key, { text, cursor }, 'gave', { text: this.text, cursor: this.cursor }, 'not', expected]
      .map((each) => JSON.stringify(each))
      .join(' ');
  return effects;
};

/** What the key must make of the line, where that is simply said. */
function expectedOf(state: LineState, key: Key): Edited | undefined {
  if (state.menu !== undefined || state.search !== undefined || state.prefix !== '') return undefined;
  const { text, cursor } = state;
  if (key.type !== 'key')
    return { text: text.slice(0, cursor) + key.text + text.slice(cursor), cursor: cursor + key.text.length };
  if (/^(Right|C-f|End|C-e)$/.test(key.name) && ghost.call(state) !== '') return undefined;
  return edited(key.name === 'C-d' && text !== '' ? 'Delete' : key.name, { text, cursor });
}
