/** The prompt as each terminal shows it: the built binary in a pseudo terminal, its screen after each step. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProgressLine } from '../../src/cli/progress.ts';
import { connect } from '../../src/client/connect.ts';
import { startEmbedded } from '../../src/runtime/embed.ts';
import { BIN } from '../e2e/cli.ts';
import { Session } from '../editor/session.ts';
import { PATIENCE_MS } from '../patience.ts';
import { drawStates } from './prompt-states.ts';
import { COLUMNS, faultsOf, TERMINALS, type Terminal } from './terminals.ts';

export interface Prompt {
  /** `prompt/dumb-80.txt` */
  readonly file: string;
  readonly text: string;
  readonly faults: readonly string[];
}

export const ROWS = 24;
/** Most of it is waiting until nothing more comes. */
const AT_ONCE = 4;
/** What is sent by keys. */
/** An empty line on an empty screen; `over` ends what is being done. */
export const KEY = { clear: '\x15\x0c', over: '\x03', tab: '\t', search: '\x12', enter: '\r', end: '\x04' };

/** What is different each time, with as many characters. */
export const masked = (text: string): string =>
  text
    .replace(/127\.0\.0\.1:\d{5}/g, '127.0.0.1:21811')
    .replace(/0x[0-9a-f]{14,16}/g, (id) => '0x1000a1b2c3d40001'.slice(0, id.length))
    .replace(/\b\d\d:\d\d:\d\d\b/g, '15:04:05');

/** What patience there is with screens that are not as they were kept: once it was in vain, there is none. */
export interface Patience {
  isLeft: boolean;
}

/**
 * `quietMs`: a screen is done when nothing more came for so long. `kept`: the texts by their files; where a screen is not
 * as it was kept, it may not be done, and is waited for.
 */
export async function drawPrompts(
  quietMs: number,
  kept: ReadonlyMap<string, string> = new Map(),
): Promise<readonly Prompt[]> {
  const out: Prompt[] = [];
  const patience: Patience = { isLeft: true };
  const todo: (() => Promise<Prompt>)[] = COLUMNS.flatMap((columns) => [
    ...TERMINALS.map((terminal) => () => play(terminal, columns, quietMs, kept, patience)),
    () => drawStates(columns, quietMs, kept, patience),
  ]);
  const one = async (): Promise<void> => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) out.push(await next());
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  out.push(...COLUMNS.map(progress));
  return out;
}

/** Each on a server of its own, since a change is told to all who watch. */
async function play(
  terminal: Terminal,
  columns: number,
  quietMs: number,
  kept: ReadonlyMap<string, string>,
  patience: Patience,
): Promise<Prompt> {
  await using server = await startEmbedded({ logLevel: 'error' });
  await using client = await connect(server.connectString);
  await client.create('/app', null);
  for (const name of ['config', 'logo', 'motd', 'workers']) await client.create(`/app/${name}`, name);
  await client.create('/many', null);
  for (let at = 0; at < 30; at++) await client.create(`/many/n${at}`, null);
  const home = mkdtempSync(join(tmpdir(), 'zoosh-prompt-'));
  const env = { ...terminal.env, ZOOSH_HOME: home, ZOOSH_PAGER: 'head -3; echo "(the pager ends)"' };
  try {
    const run = `${setTerm(terminal)}; exec ${process.execPath} ${BIN} ${patiently} ${server.connectString}`;
    using session = new Session({ columns, rows: ROWS, sh: run, env });
    const name = terminal.name.replace(/^TERM=/, '').replace(/[= ]/g, '-');
    const file = `prompt/${name}-${columns}.txt`;
    const head = `=== ${columns} columns: ${terminal.name}; the cursor is |\n`;
    const wanted = kept.get(file);
    const isKept = (text: string): boolean => wanted?.startsWith(head + masked(text)) !== false;
    const change = (data: string): Promise<unknown> => client.set('/app/config', data);
    const text = await steps(session, quietMs, change, isKept, patience);
    const faults = faultsOf(session.screen.received.replaceAll('\r', ''), terminal);
    return { file, text: head + masked(text), faults };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** A server that is there may take longer to answer than a person would wait. */
export const patiently = `--connect-timeout ${PATIENCE_MS / 1000}s`;

/** node-pty says TERM itself. */
const setTerm = ({ env: { TERM } }: Terminal): string => (TERM === undefined ? 'unset TERM' : `export TERM=${TERM}`);

/** Waits until the screen holds something and nothing more comes. */
export async function settled(session: Session, what: string | RegExp, quietMs: number): Promise<void> {
  const isThere = (text: string): boolean => (typeof what === 'string' ? text.includes(what) : what.test(text));
  await session.until(isThere, String(what));
  for (let before = -1; before !== session.screen.received.length; ) {
    before = session.screen.received.length;
    await sleep(quietMs);
  }
}

/** `step` types keys and keeps the screen that comes of them in `seen`; see {@link steps}. */
export function stepper(
  session: Session,
  quietMs: number,
  isKept: (text: string) => boolean,
  patience: Patience,
): { step: (what: string, keys: string, until: string | RegExp) => Promise<void>; seen: readonly string[] } {
  const seen: string[] = [];
  const step = async (what: string, keys: string, until: string | RegExp): Promise<void> => {
    session.type(keys);
    await settled(session, until, quietMs);
    const look = (): string => `--- ${what}\n${session.text}\n`;
    // one that stood still meanwhile was quiet, too
    if (patience.isLeft)
      await session
        .until(() => isKept(seen.join('') + look()), what)
        .catch(() => {
          patience.isLeft = false;
        });
    seen.push(look());
  };
  return { step, seen };
}

/** Each step's screen below its name. `isKept`: whether all of them so far, as one text, are as they were kept. */
async function steps(
  session: Session,
  quietMs: number,
  change: (data: string) => Promise<unknown>,
  isKept: (text: string) => boolean,
  patience: Patience,
): Promise<string> {
  const { step, seen } = stepper(session, quietMs, isKept, patience);
  await step('connected', '', 'type help');
  await step('candidates', `get /app/${KEY.tab}`, 'workers');
  await step('a synopsis while typing', `${KEY.clear}create `, /create \|/);
  await step('a watch', `${KEY.clear}addWatch /app${KEY.enter}`, 'watching /app');
  session.type(`${KEY.clear}set /app/mo`);
  await settled(session, 'set /app/mo', quietMs);
  await change('x');
  await step('an event above the line', '', 'changed');
  await step('a question', `${KEY.clear}deleteall /many${KEY.enter}`, '(y/N)');
  await step('answered no', `n${KEY.enter}`, 'not done');
  await step('history search', `${KEY.clear}${KEY.search}addW`, 'addWatch /app');
  await step('a mistake', `${KEY.over}${KEY.clear}get /app/confg${KEY.enter}`, 'did you mean');
  // one that only prints has none: all goes by
  await step('the pager', `${KEY.clear}help${KEY.enter}`, /the pager ends|exit-codes\n/);
  session.type(KEY.over + KEY.end);
  await session.ended();
  return seen.join('');
}

/** The line that says how far long work is, by a clock of its own. */
function progress(columns: number): Prompt {
  let [now, text] = [0, ''];
  const line = new ProgressLine({
    show: (shown) => {
      text += shown;
    },
    width: () => columns,
    now: () => now,
  });
  using work = line.begin('exporting /app/services/billing');
  for (const [at, done, total] of [
    [400, 300, undefined],
    [700, 4000, undefined],
    [2000, 12_400, 48_112],
  ] as const) {
    now = at;
    work.update(done, total);
  }
  const shown = text.replaceAll('\r\x1b[K', '\n').trim();
  return { file: `prompt/progress-${columns}.txt`, text: `=== ${columns} columns: progress\n${shown}\n`, faults: [] };
}
