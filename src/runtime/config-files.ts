import { readFileSync, statSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { type Beside, namedFiles, type Setting } from '../server/config.ts';
import { StartError } from './start-error.ts';

/**
 * Reads what stands beside zoo.cfg: the files that dynamicConfigFile and
 * java.security.auth.login.config name, and `myid` in dataDir, unless the id was given
 * with --myid. A file that is absent is left out: whether it is needed, the check of the configuration knows.
 * @throws StartError (43) for one that is there and cannot be read
 */
export function readBeside(settings: readonly Setting[], myid?: string): Beside {
  const { dataDir, dynamicConfigFile, jaasFile } = namedFiles(settings);
  const jaas = jaasFile === undefined ? undefined : textOf(jaasFile);
  const dynamic = dynamicConfigFile === undefined ? undefined : textOf(dynamicConfigFile);
  const id: Beside['myid'] = myid === undefined ? myidIn(dataDir) : { text: myid, from: { option: '--myid' } };
  return {
    myid: id,
    ...(id === undefined && { here: ownNames() }),
    dynamic: dynamic === undefined ? undefined : { text: dynamic, file: dynamicConfigFile as string },
    jaas:
      jaas === undefined
        ? undefined
        : { text: jaas, file: jaasFile as string, mode: statSync(jaasFile as string).mode },
  };
}

/** By which a server line may mean this machine: a hint, which no start fails for. */
function ownNames(): string[] {
  const names = [hostname().toLowerCase()];
  try {
    for (const each of Object.values(networkInterfaces()).flat())
      if (each !== undefined) names.push(each.address.toLowerCase());
  } catch {
    // no AF_NETLINK for this process, as services may be confined
  }
  return names;
}

function myidIn(dataDir: string | undefined): Beside['myid'] {
  if (dataDir === undefined) return undefined;
  const file = join(dataDir, 'myid');
  const text = textOf(file);
  return text === undefined ? undefined : { text, from: { file, line: 1 } };
}

const MORE: Readonly<Record<string, string>> = {
  EISDIR: ', and a file is wanted',
  EACCES: '; the user of the server must be able to read it',
};
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const more = MORE[code ?? ''] ?? '';
    throw new StartError(43, `${file} cannot be read: ${fileWords(error)}${more}`);
  }
}
