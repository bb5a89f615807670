import { dynamicText } from '../records/member-text.ts';
import type { Config, Member } from '../records/txns.ts';
import type { EnsembleConfig } from './config-ensemble.ts';
import { isMemberKey } from './config-members.ts';
import { addressesOf, isAnyHost } from './config-servers.ts';
import { parseProperties } from './config-text.ts';

/** A file that every member writes for a config, beside its zoo.cfg: `zoo.cfg.dynamic.100000003`. */
export interface DynamicFile {
  readonly file: string;
  readonly text: string;
}

/** The dynamic file of a config, `version` being the zxid of its record. */
export const dynamicFileOf = (configFile: string, config: Config, version: bigint): DynamicFile => ({
  file: `${configFile}.dynamic.${version.toString(16)}`,
  text: dynamicText(config),
});

/**
 * A config as this server may write it down: hosts that mean every address of a machine are right in that machine's own
 * zoo.cfg and nowhere else. This server keeps them for itself, and calls another by the host that its zoo.cfg had for it.
 */
export function seenFrom({ sid, members: own }: Pick<EnsembleConfig, 'sid' | 'members'>, config: Config): Config {
  const members = config.members.map((member): Member => {
    const known = own.find((each) => each.sid === member.sid);
    if (known === undefined || (member.sid === sid ? !isEverywhere(known) : !isEverywhere(member))) return member;
    const [first = ''] = member.addresses;
    const ports = first.slice(first.lastIndexOf(':', first.lastIndexOf(':') - 1));
    const hosts = known.addresses.map((address) => /^(\[[^\]]*\]|[^:]*)/.exec(address)?.[0] ?? '');
    return { ...member, addresses: hosts.map((host) => host + ports) };
  });
  return { ...config, members };
}
const isEverywhere = (member: Member): boolean => addressesOf(member).quorum.every(({ host }) => isAnyHost(host));

/**
 * A zoo.cfg that points at a dynamic file, as ZooKeeper rewrites it, but with comments and order left alone: lines about
 * members go, since they stand in that file, and the ports for clients with them, each when this server's line there has it:
 * `client` is what that line says of them.
 */
export function repointed(text: string, dynamicFile: string, client: string | undefined): string {
  const lines = text.split(/\r\n|\r|\n/);
  const [plain = '', secure = ''] = client?.split(';') ?? [];
  const gone = new Set<string>([
    'peerType',
    ...(plain === '' ? [] : ['clientPort', 'clientPortAddress']),
    ...(secure === '' ? [] : ['secureClientPort', 'secureClientPortAddress']),
  ]);
  const moved = (key: string): boolean => isMemberKey(key) || gone.has(key);
  let at: number | undefined;
  const cut = new Set<number>();
  for (const { key, from } of parseProperties(text, 'zoo.cfg')) {
    if (!('file' in from)) continue;
    const first = from.line - 1;
    if (key !== 'dynamicConfigFile' && !moved(key)) continue;
    if (key === 'dynamicConfigFile') at = first;
    for (let i = first; ; i++) {
      cut.add(i);
      if (!/(^|[^\\])(\\\\)*\\$/.test(lines[i] ?? '')) break; // joined with the next
    }
  }
  const pointer = `dynamicConfigFile=${dynamicFile.replaceAll('\\', '\\\\')}`;
  const kept = lines.flatMap((line, i) => (i === at ? [pointer] : cut.has(i) ? [] : [line]));
  if (at === undefined) {
    while (kept.at(-1) === '') kept.pop();
    kept.push(pointer, '');
  }
  return kept.join('\n');
}
