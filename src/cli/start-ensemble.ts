import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { folders } from '../config/folders.ts';
import { Ensemble, hinderedText } from '../ensemble/ensemble.ts';
import { launch } from '../ensemble/launch.ts';
import { checkName } from '../ensemble/layout.ts';
import { followLogs } from '../ensemble/logs.ts';
import { removeFiles } from '../ensemble/make.ts';
import { viewOf } from '../ensemble/status.ts';
import { labelled } from '../out/human.ts';
import { decideColor, makeTheme } from '../out/theme.ts';
import { usage } from '../shell/failure.ts';
import { parseNumber, parseTimed, plural } from '../shell/units.ts';
import { refuseDryRun } from './dry-run.ts';
import type { Globals } from './globals.ts';
import { abortOnSignals, Interrupted } from './interrupt.ts';
import { ENSEMBLE_VARIABLE, ownCommand } from './local-ensembles.ts';
import { readOptions } from './options.ts';
import { showUsage } from './width.ts';

export const ENSEMBLE_USAGE = `usage: zoosh start ensemble [NAME] [-n 3] [--observers 0] [--base-port 2181] [--host 127.0.0.1] [--data DIR] [--set KEY=VALUE]... [-d] [--shell] [--keep | --rm] [--timeout 30s] [-o MODE]
Starts an ensemble on this machine, each member a process of its own, and waits until a quorum serves.
  NAME              local unless said; one that is there already is started with its data
  -n N              members that vote
  --observers N     members that do not
  --base-port PORT  client port of member 1; those of the others follow, quorum ports are 100 above, election ports 200;
                    without it the first free block from 2181 on
  --host HOST       the address of this machine that all of them listen on
  --data DIR        where member-N lie; otherwise with the ensemble's other files
  --set KEY=VALUE   a setting for every zoo.cfg; repeatable
  -d                leave it running: standard output has only what clients connect to; zoosh ensemble destroy ends it
  --shell           a prompt on it
  --rm              remove its files at the end
  --keep            keep them also when it does not come up
  --timeout DUR     how long a quorum may take
In the foreground the members' logs are on standard error, and one line, ready HOST:PORT,..., is on standard output; Ctrl-C stops
all members and keeps the data.`;

const OPTIONS = {
  n: { type: 'string', short: 'n' },
  observers: { type: 'string' },
  'base-port': { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  set: { type: 'string', multiple: true },
  detach: { type: 'boolean', short: 'd' },
  shell: { type: 'boolean' },
  keep: { type: 'boolean' },
  rm: { type: 'boolean' },
  timeout: { type: 'string' },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
} as const;

const parse = (words: readonly string[]) => {
  try {
    return readOptions({ args: [...words], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw usage((error as Error).message, 'zoosh start ensemble --help');
  }
};
const whole = (text: string | undefined, what: string): number | undefined =>
  text === undefined ? undefined : parseNumber(text, what);

const FIRST_PORT = 2181;
const USUAL_VOTERS = 3;
const START_MS = 30_000;
/** An ensemble in the foreground ends by itself when nothing of it has run for so long. */
const ALL_GONE_MS = 3000;

/** `zoosh start ensemble ...`. Returns the exit code. @throws Failure */
export async function runStartEnsemble(words: readonly string[], globals: Globals): Promise<number> {
  const { values, positionals } = parse(words);
  if (values.help === true) {
    showUsage(ENSEMBLE_USAGE);
    return 0;
  }
  const [given = 'local', more] = positionals;
  if (more !== undefined) throw usage(`start ensemble: one word too many: ${more}`);
  if (values.rm === true && (values.keep === true || values.detach === true))
    throw usage(`--rm and ${values.keep === true ? '--keep' : '-d'} exclude each other`);
  const name = checkName(given);
  refuseDryRun('start ensemble', globals);
  const asked = {
    voters: whole(values.n, '-n'),
    observers: whole(values.observers, '--observers'),
    host: values.host,
  };
  const port = whole(values['base-port'], '--base-port');
  if (port !== undefined && (port < 1 || port > 65_000)) throw usage(`--base-port is a port, not ${port}`);
  const isQuiet = globals.quiet === true;
  const isDetached = values.detach === true;
  let isOpen = false; // a line was begun
  const say = (text: string, isRest = false): void => {
    if (isQuiet) return;
    process.stderr.write(isOpen && !isRest ? `\n${text}` : text);
    isOpen = !text.endsWith('\n');
  };
  using interrupts = abortOnSignals();
  const voters = asked.voters ?? USUAL_VOTERS;
  const begun = performance.now();
  let hindered: readonly number[] = [];
  const ensemble = await launch({
    path: join(folders().ensembles, name),
    make: {
      name,
      voters,
      observers: asked.observers ?? 0,
      host: values.host ?? '127.0.0.1',
      basePort: port ?? FIRST_PORT,
      exactBase: port !== undefined,
      data: values.data,
      settings: (values.set ?? []).map(checkSetting),
    },
    asked,
    command: ownCommand(),
    leash: !isDetached,
    timeoutMs: values.timeout === undefined ? START_MS : parseTimed(values.timeout, '--timeout'),
    signal: interrupts.signal,
    keep: values.keep === true,
    lateHint: '--keep leaves what its members logged, --timeout DUR gives them longer',
    begins: (members) => say(`starting ${plural(members, 'member')} of ${name} ...`),
    hindered: (ids) => {
      hindered = ids;
    },
    note: (sentence) => say(`${sentence}\n`),
  }).catch((error) => {
    say('');
    if (error instanceof Interrupted) return error;
    throw error;
  });
  if (ensemble instanceof Interrupted) return ensemble.exitCode;
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const came = `${hindered.length === 0 ? 'quorum' : 'started'} after ${seconds}s\n`;
  say(isOpen ? ` ${came}` : came, true);
  if (hindered.length > 0) say(`${hinderedText(name, hindered)}\n`);
  if (isDetached) {
    await announce(ensemble, values.output ?? globals.output);
    return values.shell === true ? prompt(ensemble, globals) : 0;
  }
  try {
    if (values.shell === true) return await prompt(ensemble, globals);
    process.stdout.write(`ready ${ensemble.connect}\n`);
    await showLogs(ensemble, globals, interrupts.signal);
    return 0;
  } finally {
    // members may have been added and removed meanwhile, and all of it destroyed
    if (ensemble.folder.exists) {
      const now = new Ensemble(ensemble.folder.path);
      await now.end(now.ids, 'SIGTERM');
      if (values.rm === true) removeFiles(now);
    }
  }
}

/** @throws Failure (2) */
function checkSetting(text: string): string {
  if (/^[^=\s]+=.*$/.test(text)) return text;
  throw usage(`--set is KEY=VALUE, not ${text}`);
}

async function announce(ensemble: Ensemble, mode: string | undefined): Promise<void> {
  if (mode !== 'json' && mode !== 'ndjson') {
    process.stdout.write(`${ensemble.connect}\n`);
    return;
  }
  const indent = mode === 'json' && process.stdout.isTTY ? 2 : undefined;
  process.stdout.write(`${JSON.stringify(await viewOf(ensemble), null, indent)}\n`);
}

async function prompt(ensemble: Ensemble, globals: Globals): Promise<number> {
  process.env[ENSEMBLE_VARIABLE] = ensemble.folder.path;
  const { runOnEnsemble } = await import('./front.ts');
  return runOnEnsemble(globals, ensemble);
}

/** The members' logs on standard error, until the signal or until nothing runs any more. */
async function showLogs(ensemble: Ensemble, { color }: Globals, signal: AbortSignal): Promise<void> {
  const wish = color === false ? 'never' : color;
  const theme = await makeTheme(decideColor(wish, process.env, process.stderr.isTTY === true), false);
  const over = new AbortController();
  const end = (): void => over.abort();
  signal.addEventListener('abort', end, { once: true });
  const watching = (async () => {
    let last = performance.now();
    while (!over.signal.aborted) {
      if (ensemble.folder.exists && ensemble.running.length > 0) last = performance.now();
      if (performance.now() - last > ALL_GONE_MS) end();
      await sleep(500, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  const fromTheBeginning = new Map(ensemble.ids.map((id) => [id, 0]));
  for await (const { member, text } of followLogs(ensemble, ensemble.ids, over.signal, fromTheBeginning))
    process.stderr.write(`${labelled(String(member), theme)} ${text}\n`);
  await watching;
}
