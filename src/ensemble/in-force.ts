import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../client/api.ts';
import type { EnsembleFile, MemberFile } from './layout.ts';
import { memberFolder } from './layout.ts';

/** Who is a member, as the servers have it: ensemble.json is only what was meant. */
export interface InForce {
  readonly version: bigint;
  readonly roles: ReadonlyMap<number, MemberFile['role']>;
}

/** Undefined for a text without server lines: a server that runs alone has none. */
export function readConfig(text: string): InForce | undefined {
  const roles = new Map<number, MemberFile['role']>();
  for (const [, id, spec = ''] of text.matchAll(/^server\.(\d+)\s*=(.*)$/gm))
    roles.set(Number(id), /:observer\s*(;|$)/i.test(spec) ? 'observer' : 'participant');
  const version = /^version\s*=\s*([0-9a-f]{1,16})\s*$/im.exec(text)?.[1] ?? '0';
  return roles.size === 0 ? undefined : { version: BigInt(`0x${version}`), roles };
}

/**
 * The config in force. The sync before it is answered by a quorum, and everything that was proposed before it is applied
 * by then: a change of members that is on its way shows, too. @throws as the client does
 */
export async function askInForce(client: Client, signal: AbortSignal): Promise<InForce | undefined> {
  await client.sync('/zookeeper/config', { signal });
  return readConfig((await client.getConfig({ signal })).data?.toString() ?? '');
}

/** The file in which a member keeps the server lines, once there was a change of members; undefined: they are in zoo.cfg. */
export function dynamicFileOf(
  file: EnsembleFile,
  id: number,
): { readonly path: string; readonly text: string } | undefined {
  try {
    const text = readFileSync(join(memberFolder(file, id), 'zoo.cfg'), 'utf8');
    const path = /^dynamicConfigFile\s*=\s*(.+?)\s*$/m.exec(text)?.[1];
    return path === undefined ? undefined : { path, text: readFileSync(path, 'utf8') };
  } catch {
    return undefined;
  }
}

/** The newest that any member has written down: the best that is known while nobody answers. */
export function inForceOnDisk(file: EnsembleFile): InForce | undefined {
  let newest: InForce | undefined;
  for (const { id } of file.members) {
    const found = dynamicFileOf(file, id);
    const read = found && readConfig(found.text);
    if (found === undefined || read === undefined) continue;
    const version = BigInt(`0x${/\.dynamic\.([0-9a-f]{1,16})$/i.exec(found.path)?.[1] ?? read.version.toString(16)}`);
    if (newest === undefined || version > newest.version) newest = { ...read, version };
  }
  return newest;
}
