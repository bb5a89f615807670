import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The text as the user's editor (`$VISUAL`, `$EDITOR`, `vi`) left it, without the newline editors put at the end.
 * Throws when the editor cannot be run or ends with an error. The terminal must be free.
 */
export async function editExternally(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'zoosh-edit-')); // of mode 0700
  try {
    const file = join(folder, 'line.zk');
    await writeFile(file, `${text}\n`, { mode: 0o600 });
    const editor = process.env.VISUAL || process.env.EDITOR || 'vi';
    // by a shell, since the variable may hold arguments
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    if (code !== 0) throw new Error(`${editor} ended with ${code ?? signal}`);
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '').replace(/\r\n?/g, '\n');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
