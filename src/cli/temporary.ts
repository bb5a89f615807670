import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { StartError } from '../runtime/start-error.ts';

/** A new folder for what goes with this process. @throws StartError (40) */
export function temporaryFolder(beneath = tmpdir()): string {
  try {
    return mkdtempSync(join(beneath, 'zoosh-'));
  } catch (error) {
    throw new StartError(40, `no folder can be made in ${beneath}: ${fileWords(error)}; TMPDIR names another place`);
  }
}
