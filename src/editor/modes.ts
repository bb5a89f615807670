import { before } from '../base/width.ts';
import type { Key } from './keys.ts';
import type { Menu } from './menu.ts';
import type { Search } from './recall.ts';
import type { LineState } from './state.ts';
import type { Candidate } from './types.ts';

const PAGE = 10;

function refilter(line: LineState, menu: Menu): void {
  if (!menu.filter(line.text.slice(menu.from, line.cursor))) line.menu = undefined;
}

/** Accepts the candidate as the beginning of a path. */
function descend(line: LineState, one: Candidate, menu: Menu): void {
  const quoted = /^(['"]).*\1$/s.test(one.text);
  const text = quoted ? one.text.slice(0, -1) : one.text;
  line.accept({ text: text.endsWith('/') ? text : `${text}/`, open: true }, menu.from, line.cursor);
}

/** True when the open menu took the key; false when it closed and the key goes on as usual. */
export function menuKey(line: LineState, key: Key, menu: Menu): boolean {
  const { current } = menu;
  if (key.type === 'text') {
    if (key.text === '/' && current !== undefined) descend(line, current, menu);
    else {
      line.buffer.type(key.text);
      refilter(line, menu);
    }
    return true;
  }
  switch (key.type === 'key' ? key.name : '') {
    case 'Tab': {
      const [alone, ...others] = menu.shown;
      if (alone !== undefined && others.length === 0 && current === undefined)
        line.accept(alone, menu.from, line.cursor);
      else menu.step(1);
      return true;
    }
    case 'S-Tab':
      menu.step(-1);
      return true;
    case 'Down':
    case 'C-n':
      menu.vertical(1, line.columns);
      return true;
    case 'Up':
    case 'C-p':
      menu.vertical(-1, line.columns);
      return true;
    case 'PageDown':
      menu.vertical(PAGE, line.columns);
      return true;
    case 'PageUp':
      menu.vertical(-PAGE, line.columns);
      return true;
    case 'Right':
      if (menu.grid(line.columns).columns === 1) break;
      menu.step(1);
      return true;
    case 'Left':
      if (menu.grid(line.columns).columns === 1) break;
      menu.step(-1);
      return true;
    case 'Enter':
      // a name typed to its end is a finished line: it needs no second Enter
      if (current === undefined || current.text === line.text.slice(menu.from)) break;
      line.accept(current, menu.from, line.cursor);
      return true;
    case 'Backspace':
      if (line.cursor <= menu.from) break;
      line.buffer.remove(before(line.text, line.cursor), line.cursor);
      refilter(line, menu);
      return true;
    case 'Escape':
    case 'C-g':
      line.menu = undefined;
      line.restore();
      return true;
    default:
      break;
  }
  line.menu = undefined;
  return false;
}

/** True when the search took the key; false when it ended with the line it found and the key goes on as usual. */
export function searchKey(line: LineState, key: Key, search: Search): boolean {
  if (key.type !== 'key') {
    search.find(search.query + key.text.replaceAll('\n', ' '));
    return true;
  }
  switch (key.name) {
    case 'C-r':
    case 'Up':
    case 'C-p':
      if (!search.step(1)) line.effect({ type: 'bell' });
      return true;
    case 'C-s':
    case 'Down':
    case 'C-n':
      if (!search.step(-1)) line.effect({ type: 'bell' });
      return true;
    case 'Backspace':
      search.find(search.query.slice(0, before(search.query, search.query.length)));
      return true;
    case 'Escape':
    case 'C-g':
      line.search = undefined;
      return true;
    case 'C-c':
      line.search = undefined;
      return false;
    default: {
      line.search = undefined;
      const { current, place } = search;
      if (current !== undefined) line.buffer.set(current, key.name === 'Enter' ? current.length : place);
      return key.name === 'Tab';
    }
  }
}
