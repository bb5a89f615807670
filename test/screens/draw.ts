/** Draws every screen; `--write` puts them into their files, and takes away files of screens there are no more. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileText, type Page, pageOf } from './book.ts';
import { COMMANDS } from './commands.ts';
import { ERRORS } from './errors.ts';
import { type Piece, Theatre } from './stage.ts';

const FOLDER = fileURLToPath(new URL('../../../test/screens/', import.meta.url));
export const KINDS = ['commands', 'errors'] as const;

export interface Drawn {
  /** `commands/get.txt` */
  readonly file: string;
  readonly pieces: readonly Piece[];
  readonly page: Page;
  readonly text: string;
}

export async function drawAll(): Promise<readonly Drawn[]> {
  const out: Drawn[] = [];
  const add = async (file: string, pieces: readonly Piece[]): Promise<void> => {
    const page = await pageOf(pieces);
    out.push({ file, pieces, page, text: fileText(page) });
  };
  await using theatre = await Theatre.open();
  for (const [name, scene] of Object.entries(COMMANDS))
    await add(`commands/${name}.txt`, await theatre.play({ ...scene, lines: [`help ${name}`, ...scene.lines] }));
  for (const [exit, scenes] of ERRORS) {
    const pieces: Piece[] = [];
    for (const scene of scenes) pieces.push(...(await theatre.play(scene)));
    await add(`errors/${exit}.txt`, pieces);
  }
  return out;
}

/** Names of the files there are, and their texts. */
export function filed(kinds: readonly string[] = KINDS): Map<string, string> {
  const out = new Map<string, string>();
  for (const kind of kinds)
    for (const name of readdirSync(join(FOLDER, kind)))
      out.set(`${kind}/${name}`, readFileSync(join(FOLDER, kind, name), 'utf8'));
  return out;
}

export function write(
  drawn: readonly { readonly file: string; readonly text: string }[],
  kinds: readonly string[],
): void {
  for (const kind of kinds) mkdirSync(join(FOLDER, kind), { recursive: true });
  const files = new Set(drawn.map(({ file }) => file));
  for (const file of filed(kinds).keys()) if (!files.has(file)) rmSync(join(FOLDER, file));
  for (const { file, text } of drawn) {
    mkdirSync(dirname(join(FOLDER, file)), { recursive: true });
    writeFileSync(join(FOLDER, file), text);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const drawn = await drawAll();
  if (process.argv.includes('--write')) write(drawn, KINDS);
  else for (const { file, text } of drawn) process.stdout.write(`--- ${file}\n${text}`);
}
