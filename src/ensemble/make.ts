import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makeFolders } from '../base/make-folders.ts';
import { Failure, usage } from '../shell/failure.ts';
import { Ensemble } from './ensemble.ts';
import {
  controlPath,
  type EnsembleFile,
  EnsembleFolder,
  ensembleNames,
  type MemberFile,
  MOST_MEMBERS,
  makeMember,
  memberFolder,
  portsOf,
  socketFolder,
} from './layout.ts';
import { checkHost, freeBlock, takenPort, whyTaken } from './ports.ts';

export interface MakeOptions {
  readonly name: string;
  readonly voters: number;
  readonly observers: number;
  readonly host: string;
  /** Must be free when `exactBase`, else the first that is tried. */
  readonly basePort: number;
  readonly exactBase: boolean;
  /** Folder for the members; default that of the ensemble. */
  readonly data: string | undefined;
  readonly settings: readonly string[];
}

/** Ports that belong to ensembles that may not run just now, by who has them. */
function reservedPorts(root: string): Map<number, string> {
  const out = new Map<number, string>();
  for (const name of ensembleNames(root))
    try {
      const { members } = new EnsembleFolder(join(root, name)).read();
      for (const member of members)
        for (const port of Object.values(portsOf(member))) out.set(port, `member ${member.id} of ${name}`);
    } catch {
      // not one of ours: its ports are seen once they are taken
    }
  return out;
}

/**
 * Makes the files of a new ensemble in `path`; its ports are free. `root`: where ensembles lie whose ports are spared.
 * @throws Failure: 2 for numbers that do not fit, 41 for a port that is taken, 42 when the ensemble is there already
 */
export async function makeEnsemble(
  path: string,
  root: string,
  options: MakeOptions,
): Promise<{ ensemble: Ensemble; moved: boolean }> {
  const { name, voters, observers, host, basePort, exactBase, settings } = options;
  const count = voters + observers;
  if (voters < 1 || observers < 0 || count > MOST_MEMBERS)
    throw usage(`an ensemble has 1 to ${MOST_MEMBERS} members, at least one of which votes`);
  await checkHost(host);
  const reserved = reservedPorts(root);
  const base = exactBase ? basePort : await freeBlock(host, basePort, count, new Set(reserved.keys()));
  if (exactBase) {
    const taken = await takenPort(host, base, count, new Set());
    if (taken !== undefined) throw await whyTaken(host, taken, reserved.get(taken));
  }
  const existed = existsSync(path);
  try {
    makeFolders(dirname(path), { mkdirSync, statSync }, 0o700);
    if (existed && readdirSync(path).length > 0) throw Object.assign(new Error(), { code: 'EEXIST' });
    if (!existed) mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw new Failure(42, 'Exists', `${path} is there already, and holds no ensemble`, {
        hint: 'move it away or remove it, or choose another name',
      });
    throw new Failure(40, 'CannotMake', `${path} cannot be made: ${code}`);
  }
  const made: string[] = [path];
  try {
    const folder = new EnsembleFolder(path);
    const data = options.data === undefined ? path : resolve(options.data);
    const sockets = socketFolder(data);
    if (sockets !== undefined) made.push(sockets);
    const members = Array.from({ length: count }, (_, at): MemberFile => {
      const id = at + 1;
      const role = at < voters ? 'participant' : 'observer';
      return { id, role, client: base + at, control: controlPath({ data, sockets }, id) };
    });
    const file: EnsembleFile = {
      format: 1,
      name,
      host,
      basePort: base,
      data,
      ...(sockets !== undefined && { sockets }),
      settings,
      created: new Date().toISOString(),
      members,
    };
    folder.makeSecrets();
    for (const member of members) {
      if (existsSync(memberFolder(file, member.id)))
        throw new Failure(42, 'Exists', `${memberFolder(file, member.id)} is there already`, {
          hint: 'empty it, or choose another --data',
        });
    }
    for (const member of members) {
      made.push(memberFolder(file, member.id));
      makeMember(file, member, folder);
    }
    folder.write(file);
  } catch (error) {
    for (const each of made) removeQuietly(each);
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof Failure || code === undefined || !/^E[A-Z]+$/.test(code)) throw error;
    const place = options.data === undefined ? path : resolve(options.data);
    throw new Failure(40, 'CannotMake', `the files of ${name} cannot be made in ${place}: ${WHY[code] ?? code}`, {
      hint:
        options.data === undefined ? 'ZOOSH_HOME says where else' : '--data is a folder that can be made or written',
      cause: error,
    });
  }
  return { ensemble: new Ensemble(path), moved: base !== basePort };
}

const WHY: Readonly<Record<string, string>> = {
  ENOTDIR: 'something on the way there is a file, and no folder',
  EEXIST: 'it is a file, and no folder',
  ENOENT: 'no folder can be made there',
  EACCES: 'not permitted (EACCES)',
  EPERM: 'not permitted (EPERM)',
  EROFS: 'that file system is read-only',
  ENOSPC: 'there is no room left',
};
/** What cannot be removed could not be made either, and is not what is to be told. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // told by what failed before
  }
}

/** Every folder of an ensemble; that of `ensemble.json`, without which nothing of it is known, is the last. */
export function pathsOf({ folder, file }: Ensemble): string[] {
  const members = file.members.map(({ id }) => memberFolder(file, id));
  return [...members, ...(file.sockets === undefined ? [] : [file.sockets]), folder.path];
}

/** Removes all files of an ensemble whose processes are gone. */
export function removeFiles(ensemble: Ensemble): void {
  const { folder, file } = ensemble;
  for (const path of pathsOf(ensemble)) rmSync(path, { recursive: true, force: true });
  if (file.data !== folder.path)
    try {
      rmdirSync(file.data); // only when nothing else is in it
    } catch {
      // the user's own
    }
}
