/** What the program does besides the shell's commands, as a terminal shows it: the built binary in a pseudo terminal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BIN } from '../e2e/cli.ts';
import { apacheData } from '../e2e/folders.ts';
import { Session } from '../editor/session.ts';
import { fileText, type Look, type Page } from './book.ts';
import { COLUMNS, faultsOf, TERMINALS, type Terminal } from './terminals.ts';

/** Behind `zoosh NAME --help`, in a folder with `apache`, what Apache's server left. */
export const OUTER_SCENES: Readonly<Record<string, readonly string[]>> = {
  start: ['zoosh start standalone --port nonsense', 'zoosh start server --config nowhere.cfg', 'zoosh start bogus'],
  playground: ["echo 'create /here x' | zoosh playground", 'zoosh playground -n 0'],
  with: ['zoosh with -- echo hello', 'zoosh with -- false', 'zoosh with -n 3'],
  init: ['zoosh init --yes extra', 'zoosh init --server 127.0.0.1:1 --yes --profile x'],
  server: ['zoosh server --config nowhere status', 'zoosh server accept-loss --help', 'zoosh server bogus'],
  shims: ['zoosh shims out', 'zoosh shims'],
  'import-apache': [
    'zoosh -n import-apache apache',
    'zoosh import-apache apache --to data',
    'zoosh import-apache nowhere',
  ],
  'export-apache': [
    'zoosh import-apache apache --to data >/dev/null',
    'zoosh export-apache data --to back',
    'zoosh export-apache nowhere --to back',
  ],
  backup: ['zoosh backup a.zbak --control nowhere.sock', 'zoosh backup'],
  restore: ['zoosh restore nosuch --to data', 'zoosh restore apache/version-2/log.1 --to data', 'zoosh restore'],
  txnlog: ['zoosh txnlog apache/version-2/log.35', 'zoosh txnlog nosuch'],
  snapshot: [
    'zoosh snapshot info apache/version-2/snapshot.0',
    'zoosh snapshot ls apache/version-2/snapshot.0',
    'zoosh snapshot info nosuch',
  ],
  verify: ['zoosh verify apache', 'zoosh verify nowhere'],
  digest: ['zoosh digest bob:secret', 'zoosh digest --sha256 bob:secret', 'zoosh digest bob'],
  completion: ['zoosh completion fish | head -3', 'zoosh completion csh'],
};

/** Colours and characters make the two looks there are. */
const SHOWN = TERMINALS.filter(({ name }) => name === 'TERM=xterm-256color' || name === 'LC_ALL=C');
const FOLDER = '/tmp/zoosh-screens-';
/** Written behind everything else. */
const END = 'that is all of it';

async function play(name: string, lines: readonly string[], terminal: Terminal, columns: number): Promise<string> {
  const folder = mkdtempSync(FOLDER);
  try {
    apacheData(join(folder, 'apache'));
    const all = [`zoosh ${name} --help`, ...lines];
    const said = all.map((line) => `printf '$ %s\\n' ${quoted(line)}\n${line} || printf '[exit %s]\\n' $?\n`);
    const script = `cd ${folder}\nzoosh() { '${process.execPath}' '${BIN}' "$@"; }\n${said.join('')}printf '${END}'\nread -r _`;
    const env = { ...terminal.env, ZOOSH_HOME: join(folder, 'home'), HOME: folder, TZ: 'UTC' };
    let text = '';
    using session = new Session({ columns, rows: 24, sh: script, env, seen: (more) => void (text += more) });
    // what a process wrote last may be lost when it ends: it waits until that was read
    await session.until(() => text.includes(END), 'the end');
    const whole = text;
    session.type('\r');
    return masked(whole.replaceAll(END, '').replaceAll('\r', '').replaceAll(folder, `${FOLDER}XXXXXX`));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const quoted = (line: string): string => `'${line.replaceAll("'", `'\\''`)}'`;
const masked = (text: string): string =>
  text.replace(/127\.0\.0\.1:\d{4,5}/g, '127.0.0.1:21811').replace(/0x[0-9a-f]{15,16}/g, '0x1000a1b2c3d40001');

export interface OuterDrawn {
  readonly file: string;
  readonly page: Page;
  readonly text: string;
}

/** Several at once: most of it is a start of Node. */
const AT_ONCE = 3;
export async function drawOuter(): Promise<readonly OuterDrawn[]> {
  const scenes = Object.entries(OUTER_SCENES);
  const out: OuterDrawn[] = [];
  const one = async (): Promise<void> => {
    for (let scene = scenes.shift(); scene !== undefined; scene = scenes.shift()) {
      const [name, lines] = scene;
      const page = await pageOf(name, lines);
      out.push({ file: `outer/${name}.txt`, page, text: fileText(page) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return out;
}

async function pageOf(name: string, lines: readonly string[]): Promise<Page> {
  const looks: { columns: number; terminals: string[]; text: string }[] = [];
  const faults: string[] = [];
  // what is no ASCII does not hang on the width
  for (const columns of COLUMNS)
    for (const terminal of columns === COLUMNS[0] ? SHOWN : SHOWN.slice(0, 1)) {
      const text = await play(name, lines, terminal, columns);
      faults.push(...faultsOf(text.replaceAll('日', '').replaceAll('ä', ''), terminal));
      const same = looks.find((look) => look.columns === columns && look.text === text);
      if (same !== undefined) same.terminals.push(terminal.name);
      else looks.push({ columns, terminals: [terminal.name], text });
    }
  return { looks: looks satisfies Look[], faults };
}
