import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { makeFolders } from '../base/make-folders.ts';
import { EnvError, fromEnvironment, imageOf } from '../operate/from-env.ts';
import { withFiles } from '../operate/from-env-bitnami.ts';
import { maskedFile, secretsIn, without } from '../operate/masked.ts';
import { writeWholeFile } from '../operate/whole-file.ts';
import { StartError } from '../runtime/start-error.ts';
import type { Operation } from './operation.ts';

/** A file that is to be, and who may read it. */
interface Wanted {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/**
 * `from-env [--print]`: zoo.cfg, myid and what belongs to them from the variables of container images. Files that are there
 * are left alone, as the images do, unless `--force`. The last line of standard output is the path of zoo.cfg.
 */
export async function fromEnv({ values, env: given, isJson, isDry }: Operation): Promise<number> {
  const image = imageOf(given);
  const { env, failed } = image === 'bitnami' ? withFiles(given, textOf) : { env: given, failed: [] };
  for (const sentence of failed) process.stderr.write(`warning: ${sentence}\n`);
  let made: ReturnType<typeof fromEnvironment>;
  try {
    made = fromEnvironment(env, image);
  } catch (error) {
    if (error instanceof EnvError) throw new StartError(43, error.message);
    throw error;
  }
  for (const note of made.notes) process.stderr.write(`note: ${note}\n`);
  const dir = (values.config ?? given.ZOOCFGDIR) || made.configDir;
  const config = join(dir, made.configName);
  const jaas = join(dir, 'zoo_jaas.conf');
  const flags = made.flags.map((word) => word.replace(`${made.configDir}/zoo_jaas.conf`, jaas));
  const text = [...made.config, ''].join('\n');
  if (values.print === true || isDry) {
    const secrets = secretsIn([], env);
    const shown = maskedFile(text, config, secrets);
    if (isJson)
      process.stdout.write(
        `${JSON.stringify({ image, config, myid: made.myid ?? null, lines: shown.trimEnd().split('\n'), flags: flags.map((word) => without(word, secrets)) })}\n`,
      );
    else {
      process.stdout.write(shown);
      if (made.myid !== undefined) process.stdout.write(`# ${made.dataDir}/myid: ${made.myid}\n`);
    }
    return 0;
  }
  // zoo.cfg may hold passwords of key stores, and so may java.env
  const wanted: Wanted[] = [];
  if (made.jaas !== undefined) wanted.push({ path: jaas, text: made.jaas, mode: 0o600 });
  if (flags.length > 0)
    wanted.push({
      path: join(dir, 'java.env'),
      text: `JVMFLAGS="$JVMFLAGS "'${flags.join(' ').replace(/'/g, `'"'"'`)}'\n`,
      mode: 0o600,
    });
  // the last: where it is, the rest is taken to be there, too
  wanted.push({ path: config, text, mode: 0o600 });
  const written = existsSync(config) && values.force !== true ? [] : wanted;
  if (written.length === 0) process.stderr.write(`${config} is there, and is left as it is\n`);
  for (const file of written) write(file);
  const { myid } = made;
  if (myid !== undefined) {
    const path = join(made.dataDir, 'myid');
    const found = textOf(path)?.trim();
    if (found === undefined) write({ path, text: `${myid}\n`, mode: 0o644 });
    else if (found !== myid)
      process.stderr.write(`warning: ${path} says ${found}, the environment ${myid}: the file counts\n`);
  }
  process.stdout.write(`${config}\n`);
  return 0;
}

/** @throws StartError (40) */
function write({ path, text, mode }: Wanted): void {
  try {
    makeFolders(join(path, '..'), { mkdirSync, statSync });
    writeWholeFile(path, text, mode);
  } catch (error) {
    throw new StartError(40, `${path} cannot be written: ${fileWords(error)}`);
  }
}
