import { after } from '../base/width.ts';
import { Walk } from './recall.ts';
import type { LineState } from './state.ts';

type Command = (line: LineState) => void;

const move =
  (to: (line: LineState) => number): Command =>
  (line) =>
    line.buffer.move(to(line));

/** Cuts `from..to` into the kill ring; kills in a row join. */
function kill(line: LineState, from: number, to: number): void {
  const where = from < line.cursor ? 'before' : 'after';
  const text = line.buffer.remove(from, to);
  line.kills.add(text, where, line.last === 'kill');
  line.mark = 'kill';
}

function right(line: LineState): void {
  if (line.acceptGhost('all')) return;
  line.buffer.move(line.buffer.right);
}

function end(line: LineState): void {
  if (line.acceptGhost('all')) return;
  line.buffer.move(line.buffer.rowEnd);
}

function history(line: LineState, by: -1 | 1): void {
  if (line.walk === undefined) {
    // inside a text of several rows the arrows are for the rows, unless it came from the history just now
    const to = line.buffer.vertical(by);
    if (to !== undefined) {
      line.buffer.move(to);
      return;
    }
    if (by > 0) return;
    line.walk = new Walk(line.rules.history.lines(), line.text.slice(0, line.cursor), line.text);
  }
  const text = line.walk.step(by);
  if (text === undefined) line.effect({ type: 'bell' });
  else line.buffer.set(text, text.length);
  line.mark = 'history';
}

function enter(line: LineState): void {
  const { text } = line;
  if (line.rules.isComplete(text)) line.effect({ type: 'submit', text });
  else line.buffer.insert('\n');
}

/** M-.: the last word of the line before; again, of the one before that. */
function lastWord(line: LineState): void {
  if (line.last !== 'word') line.lastWord = { back: 0, length: 0 };
  const { back, length } = line.lastWord;
  line.mark = 'word';
  const word = line.rules.history
    .lines()
    .at(-1 - back)
    ?.trim()
    .split(/\s+/)
    .at(-1);
  if (word === undefined || word === '') {
    line.effect({ type: 'bell' });
    return;
  }
  line.buffer.replace(line.cursor - length, line.cursor, word);
  line.lastWord = { back: back + 1, length: word.length };
}

function yank(line: LineState, text: string | undefined, over: number): void {
  if (text === undefined) {
    line.effect({ type: 'bell' });
    return;
  }
  line.buffer.replace(line.cursor - over, line.cursor, text);
  line.yanked = text.length;
  line.mark = 'yank';
}

function deleteRight(line: LineState): void {
  line.buffer.remove(line.cursor, line.buffer.right);
}

/** On an empty line it ends the input; on an empty further row it gives up what was begun, as nothing more comes. */
function endOrDelete(line: LineState): void {
  const { text, cursor } = line;
  if (text === '') line.effect({ type: 'eof' });
  else if (cursor === text.length && text.endsWith('\n')) line.effect({ type: 'interrupt', again: false });
  else deleteRight(line);
}

function killToStart(line: LineState): void {
  const { rowStart } = line.buffer;
  kill(line, rowStart === line.cursor ? Math.max(0, rowStart - 1) : rowStart, line.cursor);
}

function killToEnd(line: LineState): void {
  const { rowEnd } = line.buffer;
  kill(line, line.cursor, rowEnd === line.cursor ? after(line.text, rowEnd) : rowEnd);
}

/** Every key that does something, by its name; two-key commands are written together. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  Enter: enter,
  'M-Enter': (line) => line.buffer.insert('\n'),
  Tab: (line) => line.ask(),

  'C-a': move((line) => line.buffer.rowStart),
  Home: move((line) => line.buffer.rowStart),
  'C-e': end,
  End: end,
  'C-b': move((line) => line.buffer.left),
  Left: move((line) => line.buffer.left),
  'C-f': right,
  Right: right,
  'M-b': move((line) => line.buffer.wordLeft()),
  'C-Left': move((line) => line.buffer.wordLeft()),
  'M-Left': move((line) => line.buffer.wordLeft()),
  'M-f': move((line) => line.buffer.wordRight()),
  'C-Right': move((line) => line.buffer.wordRight()),
  'M-Right': (line) => {
    if (!line.acceptGhost('word')) line.buffer.move(line.buffer.wordRight());
  },
  'M-<': move(() => 0),
  'M->': move((line) => line.text.length),

  Backspace: (line) => line.buffer.remove(line.buffer.left, line.cursor),
  Delete: deleteRight,
  'C-d': endOrDelete,
  'C-k': killToEnd,
  'C-u': killToStart,
  'C-w': (line) => kill(line, line.buffer.wordLeft(true), line.cursor),
  'M-Backspace': (line) => kill(line, line.buffer.wordLeft(), line.cursor),
  'M-d': (line) => kill(line, line.cursor, line.buffer.wordRight()),
  'C-y': (line) => yank(line, line.kills.newest, 0),
  'M-y': (line) => yank(line, line.last === 'yank' ? line.kills.older() : undefined, line.yanked),
  'C-t': (line) => line.buffer.transpose(),
  'M-.': lastWord,
  'C-_': (line) => (line.buffer.undo() ? undefined : line.effect({ type: 'bell' })),

  Up: (line) => history(line, -1),
  'C-p': (line) => history(line, -1),
  Down: (line) => history(line, 1),
  'C-n': (line) => history(line, 1),
  'C-r': (line) => line.startSearch(),

  'C-l': (line) => line.effect({ type: 'clear' }),
  'C-c': (line) => line.effect({ type: 'interrupt', again: line.text === '' }),
  'C-z': (line) => line.effect({ type: 'suspend' }),
  'C-x': (line) => {
    line.prefix = 'C-x ';
  },
  'C-x C-e': (line) => line.effect({ type: 'external' }),
  'C-x C-u': (line) => (line.buffer.undo() ? undefined : line.effect({ type: 'bell' })),
  'C-x C-g': () => {},
};
