import { cut } from '../base/width.ts';
import type { Progress } from '../shell/command.ts';
import { plural, showCount } from '../shell/units.ts';

export interface ProgressPorts {
  /** Writes to the terminal; undefined: nobody looks. */
  readonly show: ((text: string) => void) | undefined;
  /** Columns. */
  readonly width: () => number;
  /** ms, monotonic */
  readonly now: () => number;
  /** For programs: takes an object a second in place of the line. */
  readonly tell?: ((progress: ProgressObject) => void) | undefined;
}
/** How far work is; `total` where it is known. */
export interface ProgressObject {
  readonly progress: string;
  readonly done: number;
  readonly total?: number;
  /** nodes a second since it began */
  readonly perSecond: number;
}

/** Work that is over sooner is not worth a line, ms. */
const AFTER_MS = 500;
const EVERY_MS = 100;
const TOLD_EVERY_MS = 1000;

const NOTHING: Progress = { isSeen: false, update: () => {}, [Symbol.dispose]: () => {} };

/** One line that says how far work is, written over and over. */
export class ProgressLine {
  readonly #ports: ProgressPorts;
  #isShown = false;

  constructor(ports: ProgressPorts) {
    this.#ports = ports;
  }

  /** Its disposal takes the line away. */
  begin(what: string): Progress {
    const { show, now, tell } = this.#ports;
    const began = now();
    if (tell !== undefined) return told(what, began, now, tell);
    if (show === undefined) return NOTHING;
    let due = began + AFTER_MS;
    return {
      isSeen: true,
      update: (done, total) => {
        const at = now();
        if (at < due) return;
        due = at + EVERY_MS;
        this.#isShown = true;
        show(`\r\x1b[K${fitting(what, progressText('', done, total, at - began), this.#ports.width() - 1)}`);
      },
      [Symbol.dispose]: () => this.hide(),
    };
  }

  /** Something else is about to be written. */
  hide(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#ports.show?.('\r\x1b[K');
  }
}

function told(what: string, began: number, now: () => number, tell: (progress: ProgressObject) => void): Progress {
  let due = began + TOLD_EVERY_MS;
  return {
    isSeen: true,
    update: (done, total) => {
      const at = now();
      if (at < due) return;
      due = at + TOLD_EVERY_MS;
      const perSecond = Math.round((done * 1000) / (at - began));
      tell({ progress: what, done, ...(total !== undefined && { total }), perSecond });
    },
    [Symbol.dispose]: () => {},
  };
}

/** What is done gives way to how far it is. */
function fitting(what: string, rest: string, width: number): string {
  const room = width - rest.length;
  return room < LEAST_WHAT ? rest.trimStart().slice(0, width) : cut(what, room).shown + rest;
}
const LEAST_WHAT = 8;

/** `exporting /app  12,400/48,112 nodes  25%  8,900/s  ETA 4s`; `ms` since it began. */
export function progressText(what: string, done: number, total: number | undefined, ms: number): string {
  const perSecond = ms <= 0 ? 0 : (done * 1000) / ms;
  const rate = `${showCount(Math.round(perSecond))}/s`;
  if (total === undefined || total <= 0) return `${what}  ${plural(done, 'node')}  ${rate}`;
  const share = Math.min(100, Math.floor((done * 100) / total));
  // of a handful of nodes nothing follows
  const left = share < 1 && ms < SOON_MS ? '?' : eta(Math.max(0, total - done) / perSecond);
  return `${what}  ${showCount(done)}/${showCount(total)} nodes  ${share}%  ${rate}  ETA ${left}`;
}

/** A rate is believed after this, ms, or from the first hundredth on. */
const SOON_MS = 5000;
const DAY_S = 86_400;
const eta = (count: number): string => (count < DAY_S ? seconds(count) : '?');
const seconds = (count: number): string =>
  count < 60 ? `${Math.ceil(count)}s` : `${Math.floor(count / 60)}m${String(Math.round(count % 60)).padStart(2, '0')}s`;
