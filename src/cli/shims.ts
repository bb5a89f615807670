import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { makeFolders } from '../base/make-folders.ts';
import { SHIM_MARK, shims } from '../operate/shims.ts';
import { Failure, usage } from '../shell/failure.ts';
import { NOTHING_WRITTEN } from './dry-run.ts';
import type { Globals } from './globals.ts';
import { ownCommand } from './local-ensembles.ts';
import { showUsage } from './width.ts';

const USAGE = `usage: zoosh shims DIR [--force]
Writes scripts with the names of ZooKeeper's and Kafka's into DIR, so that what calls those gets zoosh: zkServer.sh, zkCli.sh,
zkCleanup.sh, zkServer-initialize.sh, zkTxnLogToolkit.sh, zkSnapShotToolkit.sh, zkSnapshotRecursiveSummaryToolkit.sh,
zkSnapshotComparer.sh, zkEnv.sh, zookeeper-shell.sh, zookeeper-server-start.sh, zookeeper-server-stop.sh. Exit codes are those of the originals. A file that
is not ours is left alone, and nothing is written then, unless --force.`;

/** `zoosh shims DIR`. @throws Failure (2; 30 when files of others would go) */
export async function runShims(args: readonly string[], globals: Globals): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    showUsage(USAGE);
    return 0;
  }
  const force = args.includes('--force');
  const [dir, more] = args.filter((word) => word !== '--force');
  if (dir === undefined || more !== undefined || dir.startsWith('-'))
    throw usage(
      dir === undefined ? 'shims: DIR is missing' : `shims: one word too many: ${more ?? dir}`,
      'zoosh shims DIR',
    );
  const { program, args: own } = ownCommand();
  const all = shims(program, realpathSync(own.at(-1) as string));
  const foreign = all
    .map(({ name }) => join(dir, name))
    .filter((path) => existsSync(path) && !readFileSync(path, 'utf8').includes(SHIM_MARK));
  if (foreign.length > 0 && !force)
    throw new Failure(30, 'Refused', `${foreign.join(', ')}: not ours, and would be replaced`, {
      hint: 'say --force, or choose another folder',
    });
  const files = all.map(({ name }) => join(dir, name));
  const isJson = globals.output === 'json' || globals.output === 'ndjson';
  if (globals.dryRun === true) {
    const lines = [...files.map((file) => `would write ${file}`), NOTHING_WRITTEN.trim()];
    process.stdout.write(isJson ? `${JSON.stringify({ files, dryRun: true })}\n` : `${lines.join('\n')}\n`);
    return 0;
  }
  try {
    makeFolders(dir, { mkdirSync, statSync });
    for (const { name, text } of all) {
      const path = join(dir, name);
      writeFileSync(`${path}.tmp`, text, { mode: 0o755 });
      renameSync(`${path}.tmp`, path);
    }
  } catch (error) {
    throw usage(`shims: ${dir} cannot be written: ${fileWords(error)}`);
  }
  if (isJson) process.stdout.write(`${JSON.stringify({ files })}\n`);
  else process.stdout.write(`${files.join('\n')}\n`);
  return 0;
}
