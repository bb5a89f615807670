import { isLoopback } from '../server/config-servers.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { StartOptions } from './node-options.ts';

/** READ alone gives nothing away to be changed. */
const READ = 1;

/**
 * What whoever runs this server should know of who may do what, each once at a start. `host`: where clients are served;
 * undefined: on every address. `supers`: the settings that name who may do everything.
 */
export function openDoors(host: string | undefined, supers: readonly string[], tree: DataTree): string[] {
  const told: string[] = [];
  const beyond = host === undefined || !isLoopback(host);
  const everyone = tree.acl(tree.root).some(({ perms, scheme }) => scheme === 'world' && (perms & ~READ) !== 0);
  if (beyond && everyone)
    told.push(
      'the ACL of / lets everyone who reaches the client port change it, and the port speaks without TLS: setAcl / narrows it, clientPortAddress says who reaches it',
    );
  for (const key of supers)
    told.push(`${key} is set: whoever knows that password may do everything. Take it out when what it was for is done`);
  return told;
}

/** All of them, once a server serves this tree. */
export function startWarnings(
  { config, ownSuper }: Pick<StartOptions, 'config' | 'ownSuper'>,
  tree: DataTree,
): string[] {
  const { clientPort, clientPortAddress, digestAuth } = config;
  const supers = [
    ...(digestAuth.superDigest === undefined || ownSuper === true ? [] : ['DigestAuthenticationProvider.superDigest']),
    ...(digestAuth.digest256?.superDigest === undefined ? [] : ['digest256.superDigest']),
  ];
  return clientPort === undefined ? [] : openDoors(clientPortAddress, supers, tree);
}
