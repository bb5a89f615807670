import { readFileSync } from 'node:fs';
import { whyNot } from '../operate/whose.ts';
import { StartError } from '../runtime/start-error.ts';
import { ConfigError, parseAssignment, parseProperties, type Setting } from '../server/config.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { errorText, hintText } from './width.ts';

/** The words of a command that concerns a server's files cannot be read. */
export class UsageError extends Error {}

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

/** The settings of a zoo.cfg. @throws StartError when it cannot be read, ConfigError */
export function settingsIn(file: string): Setting[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const where = NOT_THERE.has(code) ? '; --config says where zoo.cfg is' : '';
    throw new StartError(43, `${file} cannot be read: ${whyNot(file, error)}${where}`);
  }
  return parseProperties(text, file);
}

/** What `--set` says, told by its key: the value may be a secret. @throws ConfigError */
export const settingSaid = (text: string): Setting =>
  parseAssignment(text, text.includes('=') ? `--set ${text.slice(0, text.indexOf('='))}` : '--set');

/** What shows such a usage; all of it would stand above what was wrong. */
const helpOf = (usage: string): string => `${/^usage: (zoosh [\w-]+)/.exec(usage)?.[1] ?? 'zoosh'} --help`;

/** Says why a server was not started, or its files not touched; returns the exit code. Anything unexpected is thrown on. */
export function explainStart(error: unknown, usage: string): number {
  const say = (text: string): void => {
    process.stderr.write(errorText(text));
  };
  if (error instanceof UsageError) {
    say(error.message);
    process.stderr.write(hintText(helpOf(usage)));
    return 2;
  }
  if (error instanceof ConfigError) {
    say(error.message);
    return 43;
  }
  if (error instanceof StartError || error instanceof StorageRefusal) {
    say(error.message);
    return error.exitCode;
  }
  throw error;
}
