import { fileWords } from '../base/file-words.ts';
import { ControlError } from '../ensemble/control-client.ts';
import { whyNot } from '../operate/whose.ts';
import { StartError } from '../runtime/start-error.ts';
import { UsageError } from './start-failures.ts';

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ENOTSOCK']);
const SAID: Readonly<Record<string, string>> = {
  ETIMEDOUT: 'it says nothing',
  ECONNRESET: 'it hung up',
  EPROTO: 'it sent more than it announced',
};

/** Why nothing came from a server by its control socket; `what` begins the sentence. Anything unexpected is thrown on. */
export function controlFailure(what: string, control: string, error: unknown): StartError {
  if (error instanceof ControlError) return new StartError(40, error.message);
  return new StartError(3, `${what} at ${control}: ${controlWords(control, error)}`);
}

/** The same in a few words. */
export function controlWords(control: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  if (!ABSENT.has(code)) return SAID[code] ?? (code === 'EACCES' ? whyNot(control, error) : fileWords(error));
  return 'none listens there; zoosh server start starts one that does, and --control PATH names another place';
}

/** The control socket that is known, or was named. @throws UsageError */
export function knownControl(control: string | undefined): string {
  if (control !== undefined) return control;
  throw new UsageError('the path of dataDir is too long for a control socket: say --control PATH');
}
