/** Where a server keeps its files: how large they are, how old the last snapshot is, what room is left. */
import { readdir, stat, statfs } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Server } from '../client/connect-string.ts';
import { adminAnswer } from '../shell/admin-server.ts';
import type { CommandContext } from '../shell/command.ts';
import { ask } from '../shell/members.ts';

/** Undefined fields: nobody tells. */
export interface DiskLook {
  readonly dataBytes: number | undefined;
  readonly logBytes: number | undefined;
  /** When the last snapshot was written, ms since 1970; `none`: there is no snapshot yet. */
  readonly snapshotAt: number | 'none' | undefined;
  /** Of the file systems with its files that with less room, in bytes. Seen only on its own machine. */
  readonly room: { readonly free: number; readonly total: number } | undefined;
}

/** Asks the words conf and dirs, its AdminServer and, where it runs on this machine, the file system. Undefined: none of them tells. */
export async function diskLook(
  server: Server,
  adminPort: number,
  context: CommandContext,
): Promise<DiskLook | undefined> {
  const { signal } = context;
  const word = async (name: string): Promise<string> => {
    const answer = await ask(name, server, context).catch(() => '');
    signal.throwIfAborted();
    return answer ?? '';
  };
  const admin = (name: string) => adminAnswer(name, server, adminPort, context);
  const [conf, dirs, last, sizes] = await Promise.all([
    word('conf'),
    word('dirs'),
    admin('last_snapshot'),
    admin('dirs'),
  ]);
  const line = (text: string, name: string): string | undefined =>
    new RegExp(`^${name}[=:] *(.+)$`, 'm').exec(text)?.[1];
  const size = (name: string): number | undefined => numberOf(line(dirs, name)) ?? numberOf(sizes?.[name]);
  const folders = isHere(server.host)
    ? [line(conf, 'dataDir'), line(conf, 'dataLogDir')].filter((each) => each !== undefined)
    : [];
  const room = await roomAt(folders);
  const told = numberOf(last?.timestamp);
  const snapshotAt = (await newestSnapshot(folders[0])) ?? (told === undefined ? undefined : told * 1000);
  const look = { dataBytes: size('datadir_size'), logBytes: size('logdir_size'), snapshotAt, room };
  return Object.values(look).every((each) => each === undefined) ? undefined : look;
}

const numberOf = (value: unknown): number | undefined => {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
};

/** Only what is this machine for certain: a path of another may exist here, too. */
export function isHere(host: string): boolean {
  if (host === 'localhost' || host === hostname()) return true;
  if (isIP(host) === 0) return false;
  try {
    return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === host));
  } catch {
    return false; // no AF_NETLINK for this process
  }
}

async function roomAt(folders: readonly string[]): Promise<DiskLook['room']> {
  const rooms = await Promise.all(
    folders.map((folder) =>
      statfs(folder).then(
        ({ bavail, blocks, bsize }) => [{ free: bavail * bsize, total: blocks * bsize }],
        () => [], // not to be seen by us
      ),
    ),
  );
  return rooms.flat().sort((a, b) => a.free - b.free)[0];
}

async function newestSnapshot(folder: string | undefined): Promise<DiskLook['snapshotAt']> {
  if (folder === undefined) return undefined;
  try {
    const names = (await readdir(folder)).filter((name) => /^snapshot\.[0-9a-f]+/.test(name));
    const times = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mtimeMs));
    return times.length === 0 ? 'none' : Math.max(...times);
  } catch {
    return undefined; // not to be seen by us, or cleaned away this moment
  }
}
