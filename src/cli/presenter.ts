import type { WatchEvent } from '../client/api.ts';
import { visibleLine } from '../out/data.ts';
import { clock, EventFolder, eventJson, eventLine } from '../out/events.ts';
import { failureText, messageOf, warningText } from '../out/failures.ts';
import { fold } from '../out/fold.ts';
import { toJson } from '../out/json.ts';
import { isDivided } from '../out/json-parts.ts';
import { MODES, type Mode } from '../out/modes.ts';
import { render } from '../out/render.ts';
import { decideColor, isDumb, makeTheme, saysAscii, type Theme } from '../out/theme.ts';
import { WholeAnswer } from '../out/whole-answer.ts';
import type { Progress } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { EventChange, Output } from '../shell/output.ts';
import type { Settings } from '../shell/settings.ts';
import type { CommandRecord, Told } from '../shell/shell.ts';
import { choice } from '../shell/units.ts';
import type { TerminalHolder } from './ask.ts';
import type { Globals } from './globals.ts';
import type { LiveKeys } from './live-keys.ts';
import { LiveScreen } from './live-screen.ts';
import { isRegularFile } from './os.ts';
import { page, pagerOf } from './pager.ts';
import { ProgressLine } from './progress.ts';
import { writeOut } from './standard-output.ts';
import type { RefusedRequest } from './trace.ts';
import { isInBackground } from './typed.ts';
import { errWidth } from './width.ts';

export interface PresenterOptions {
  readonly globals: Globals;
  readonly settings: Settings;
  /** Somebody types at a prompt. */
  readonly interactive: boolean;
  /** Exactly one command: data of one node goes into a file byte for byte. */
  readonly single: boolean;
}

/** What this process says: results on standard output, everything else on standard error or above the prompt. */
export class Presenter {
  /** Of standard output. */
  readonly theme: Theme;
  /** A whole line that comes on its own; the prompt puts it above what is being typed. */
  line: (text: string) => void = (text) => process.stderr.write(`${text}\n`);
  /** A command runs: nobody is typing. */
  isBusy: () => boolean = () => true;
  /** Somebody who looks at a live view has seen enough of it. */
  onEnough: () => void = () => {};
  /** Where the watch stands that told of a path. */
  watchOf: (path: string) => string = (path) => path;
  readonly #options: PresenterOptions;
  readonly #errTheme: Theme;
  readonly #events: EventFolder;
  readonly #outIsTerminal = process.stdout.isTTY === true;
  readonly #exact: boolean;
  readonly #progress: ProgressLine;
  readonly #live = new LiveScreen(process.stdout);
  #keys: LiveKeys | undefined;
  /** The command that ended let nothing be echoed: the cursor is at the beginning of a line. */
  #wasRaw = false;
  #mode: Mode;
  /** A result taller than the screen, and what came after it, until its command has ended. */
  #paged: Uint8Array[] = [];
  #isPaging = false;
  readonly #whole: WholeAnswer | undefined;

  private constructor(options: PresenterOptions, theme: Theme, errTheme: Theme) {
    const { globals, settings, single } = options;
    this.#options = options;
    this.#whole = globals.fields === undefined ? undefined : new WholeAnswer(globals.fields);
    this.theme = theme;
    this.#errTheme = errTheme;
    this.#events = new EventFolder(
      (text) => this.line(text),
      errTheme,
      (path) => this.watchOf(path),
      errWidth,
    );
    this.#exact = single && isRegularFile(1);
    const isShown = process.stderr.isTTY === true && !this.#isQuiet && !isDumb(process.env);
    this.#progress = new ProgressLine({
      show: isShown ? (line) => void process.stderr.write(line) : undefined,
      width: () => process.stderr.columns || 80,
      now: () => performance.now(),
      tell: globals.progress === true ? (each) => void process.stderr.write(`${JSON.stringify(each)}\n`) : undefined,
    });
    const said = globals.output ?? modeOf(process.env.ZOOSH_OUTPUT);
    this.#mode = said ?? (this.#outIsTerminal ? (settings.get('output') as Mode) : 'plain');
    settings.onChange = (name) => {
      if (name === 'output') this.#mode = settings.get('output') as Mode;
      if (name === 'plain') drawBoxes();
    };
    const isAscii = theme.ascii;
    const drawBoxes = (): void => {
      theme.ascii = isAscii || (this.#outIsTerminal && settings.get('plain') === 'on');
    };
    drawBoxes();
  }
  /** @throws Failure (2) for a mode that there is not */
  static async open(options: PresenterOptions): Promise<Presenter> {
    const { globals } = options;
    const { env } = process;
    const wish = globals.color === false ? 'never' : globals.color;
    const theme = (isTerminal: boolean): Promise<Theme> => {
      const isAscii = saysAscii(globals.ascii, env) || (isTerminal && isDumb(env));
      return makeTheme(decideColor(wish, env, isTerminal), isAscii);
    };
    return new Presenter(
      options,
      await theme(process.stdout.isTTY === true),
      await theme(process.stderr.isTTY === true),
    );
  }

  get #isJson(): boolean {
    return this.#mode === 'json' || this.#mode === 'ndjson';
  }
  get #isQuiet(): boolean {
    return this.#options.globals.quiet === true;
  }

  /** A result. */
  show(given: Output): void {
    const output = this.#whole === undefined ? given : this.#whole.take(given);
    if (output === undefined) return;
    this.#progress.hide();
    const isExact = this.#exact && this.#mode === 'plain';
    if (isExact && output.type === 'node' && output.form === 'text' && !output.showStat) {
      writeOut(output.data ?? '');
      return;
    }
    const bytes = this.#rendered(output);
    // what comes in parts may be without end: it goes by
    if (!isDivided(output) && (this.#paged.length > 0 || this.#isTall(bytes))) this.#paged.push(bytes);
    else writeOut(bytes);
  }
  #rendered(output: Output): Uint8Array {
    const { fields, header } = this.#options.globals;
    const screen = { theme: this.theme, width: widthOf(), now: Date.now() };
    return render(output, { mode: this.#mode, fields, header, isTerminal: this.#outIsTerminal }, screen);
  }
  /** A result in the place of the one before it, where the screen allows; anywhere else one after the other. */
  redraw(output: Output): void {
    const { settings } = this.#options;
    const isForPeople = this.#mode === 'human' || this.#mode === 'table';
    if (!this.#outIsTerminal || !isForPeople || isDumb(process.env) || settings.get('plain') === 'on')
      return this.show(output);
    this.#progress.hide();
    if (!this.#live.isDrawn && !this.#options.interactive && process.stdin.isTTY === true) void this.#hearKeys();
    this.#live.draw(() => Buffer.from(this.#rendered(output)).toString());
  }
  /** A live view is on the screen. */
  get isLive(): boolean {
    return this.#live.isDrawn;
  }
  /** Without a prompt nobody else reads the keys. */
  async #hearKeys(): Promise<void> {
    if (isInBackground()) return;
    process.stdin.setRawMode(true); // already now: what is typed must not be echoed into the view
    const { LiveKeys } = await import('./live-keys.ts');
    if (this.#live.isDrawn) this.#keys = new LiveKeys(() => this.onEnough());
    else process.stdin.setRawMode(false);
  }
  #isTall(bytes: Uint8Array): boolean {
    const { globals, settings } = this.#options;
    if (!this.#outIsTerminal || process.stdin.isTTY !== true || (this.#mode !== 'human' && this.#mode !== 'table'))
      return false;
    if (!globals.pager || settings.get('pager') === 'never' || settings.get('plain') === 'on') return false;
    if (isDumb(process.env) || pagerOf(process.env) === undefined) return false;
    let rows = 0;
    let begun = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, begun)) {
      rows += rowsOf(end - begun);
      begun = end + 1;
    }
    return rows + rowsOf(bytes.length - begun) - 1 >= (process.stdout.rows || 24);
  }
  /** A command has ended: what it drew stays, and what was too long for the screen is paged. */
  async settle(holder: TerminalHolder | undefined): Promise<void> {
    this.#live.end();
    this.#wasRaw = this.#keys !== undefined;
    this.#keys?.close();
    this.#keys = undefined;
    this.#progress.hide(); // a plan and its question begin a line of their own
    if (this.#paged.length === 0) return;
    const bytes = Buffer.concat(this.#paged);
    this.#paged = [];
    this.#isPaging = true;
    let isSeen = false;
    try {
      isSeen = await page(pagerOf(process.env) as string, bytes, holder);
    } finally {
      this.#isPaging = false; // else Ctrl-C would be nobody's
    }
    if (!isSeen) writeOut(bytes);
  }
  /** A pager has the terminal: Ctrl-C is its own. */
  get isPaging(): boolean {
    return this.#isPaging;
  }
  /** One command of a script, for programs. */
  record({ line, command, outputs, failure }: CommandRecord): void {
    const results = outputs.filter((output) =>
      output.type === 'many' ? output.parts.length > 0 : output.type !== 'steps' || output.json !== undefined,
    );
    const result = results.length === 1 ? toJson(results[0] as Output) : results.map(toJson);
    const error =
      failure === undefined
        ? undefined
        : {
            code: failure.code,
            exit: failure.exit,
            message: messageOf(failure),
            ...(failure.path !== undefined && { path: failure.path }),
          };
    writeOut(
      `${JSON.stringify({
        line,
        command: command.replace(/\s+/g, ' ').trim(),
        ok: failure === undefined,
        ...(results.length > 0 && { result }),
        ...(error !== undefined && { error }),
      })}\n`,
    );
  }
  get isJson(): boolean {
    return this.#isJson;
  }
  /** Bytes of an answer, as they are. */
  write(bytes: Uint8Array): void {
    this.#progress.hide();
    writeOut(bytes);
  }
  /** How far work is, on standard error where somebody looks. */
  progress(what: string): Progress {
    return this.#progress.begin(visibleLine(what));
  }
  /** A failure; `refused`: the refusal seen last on the wire, when somebody looks there. */
  tell(told: Told, refused?: RefusedRequest): void {
    this.#progress.hide();
    process.stderr.write(failureText(told, this.#isJson ? 'json' : 'text', this.#errTheme, errWidth()));
    if (refused !== undefined && refused.code === told.failure.code && !this.#isJson) {
      const { code, number, xid, zxid, server } = refused;
      process.stderr.write(`${this.#errTheme.dim(` ${code} (${number}), xid ${xid}, zxid ${zxid}, from ${server}`)}\n`);
    }
    if (this.#options.globals.verbose === true && told.failure.exit === 70)
      process.stderr.write(`${(told.failure.cause as Error | undefined)?.stack ?? ''}\n`);
  }
  /** Ctrl-C was pressed, and the terminal shows `^C`: what comes next begins a line of its own. A prompt sees to that itself. */
  endLine(): void {
    this.#progress.hide();
    if (!this.#wasRaw && !this.#options.interactive && process.stdin.isTTY === true && process.stderr.isTTY === true)
      process.stderr.write('\n');
  }
  warn(text: string): void {
    this.#progress.hide();
    if (!this.#isQuiet) process.stderr.write(warningText(text, errWidth()));
  }
  /** A failure in a line, of what goes on all the same: with -q, too. */
  complain(text: string): void {
    this.#progress.hide();
    process.stderr.write(warningText(text, errWidth()));
  }
  /** A line of `-v`. At a prompt it comes above what is typed, but at once while a command runs. */
  trace(text: string): void {
    this.#progress.hide();
    const at = new Date();
    const time = `${clock(at)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
    const line = this.#errTheme.dim(`${time} ${visibleLine(text)}`);
    if (this.isBusy()) process.stderr.write(`${line}\n`);
    else this.line(line);
  }
  /** What happens to the connection. */
  news(text: string): void {
    if (this.#isQuiet) return;
    const { interactive } = this.#options;
    const told = interactive ? `${clock(new Date())} ${text}` : text;
    const lines = fold(visibleLine(told), errWidth(), 2);
    const shown = (interactive ? lines.map(this.#errTheme.dim) : lines).join('\n');
    if (!interactive || !this.isBusy()) return this.line(shown);
    // who waits for a command wants to know why
    this.#progress.hide();
    process.stderr.write(`${shown}\n`);
  }
  /** At a prompt a storm is folded; a script gets every event. */
  event(event: WatchEvent, change?: EventChange, watch?: string): void {
    const at = new Date();
    if (this.#options.interactive) this.#events.take({ event, at: at.getTime(), change }, watch);
    else this.line(this.#isJson ? eventJson(event, at) : eventLine(event, at, this.#errTheme));
  }
  /** Tells what was held back. */
  flush(): void {
    this.#events.flush();
  }
}

/** Of a line of so many bytes; colours and letters of several bytes make it look longer, so that only much counts. */
const rowsOf = (bytes: number): number => Math.max(1, Math.floor(bytes / (4 * (process.stdout.columns || 80))));

const modeOf = (text: string | undefined): Mode | undefined => {
  if (text === undefined || text === '') return undefined;
  const mode = MODES.find((each) => each === text);
  if (mode !== undefined) return mode;
  throw usage(`ZOOSH_OUTPUT is ${choice(MODES)}, not ${text}`);
};

/** Columns of the terminal; a window of no size counts as 80. */
const widthOf = (): number => process.stdout.columns || Number(process.env.COLUMNS) || 80;
