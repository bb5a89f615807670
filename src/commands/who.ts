import { ADMIN_PORT, adminPortOf } from '../shell/admin-server.ts';
import { command } from '../shell/command.ts';
import { Failure } from '../shell/failure.ts';
import { connectionsOf, membersOf } from '../shell/members.ts';
import type { Output } from '../shell/output.ts';
import { quoteWord } from '../shell/paths.ts';
import { hex, plural, showAge } from '../shell/units.ts';
import { isOfOneNode, joined, withSuggestion } from './support.ts';

/** Whose ephemeral node it is. */
export default command({
  name: 'who',
  group: 'admin',
  about: 'tell which client owns an ephemeral node, and where it is connected',
  risk: 'read',
  params: {
    paths: { kind: 'path', about: 'the nodes', many: true, globs: true, placeholder: 'PATH' },
    adminPort: {
      kind: 'number',
      long: '--admin-port',
      about: `where AdminServers listen; default ${ADMIN_PORT}`,
      placeholder: 'PORT',
    },
  },
  examples: [
    ['who /app/workers/w-1', 'its session, address and server'],
    ['who /app/workers/*', 'of all of them'],
    ['who --admin-port 8090 /app/leader', 'where AdminServers listen on another port'],
  ],
  exits: [1, 10, 21],
  notes: [
    'Servers are asked with the word cons (4lw.commands.whitelist=cons,srvr), else their AdminServer. One on this machine that wants a login is given the digest credentials of this session.',
    'A persistent node is held by nobody; when no other is named the exit code is 1.',
  ],
  async run({ paths, adminPort }, context): Promise<Output> {
    const port = adminPortOf(adminPort);
    const client = await context.client();
    const { signal } = context;
    const owned: { path: string; owner: bigint }[] = [];
    const persistent: string[] = [];
    const failed: Error[] = [];
    for (const path of paths)
      try {
        const stat = await withSuggestion(path, context, async () => {
          const found = await client.get(path, { signal }).then(
            ({ stat }) => stat,
            (error: { code?: string }) => {
              if (error.code === 'NoAuth') return client.exists(path, { signal });
              throw error;
            },
          );
          return found;
        });
        if (stat !== undefined && stat.ephemeralOwner !== 0n)
          owned.push({ path, owner: BigInt.asUintN(64, stat.ephemeralOwner) });
        else persistent.push(path);
      } catch (error) {
        if (!isOfOneNode(error)) throw error;
        failed.push(error as Error);
      }
    if (failed.length > 0 && owned.length === 0) throw joined(failed);
    const own = BigInt.asUintN(64, client.sessionId);
    const ownServer = client.server ?? '-';
    const isAllOurs = owned.every(({ owner }) => owner === own);
    const connections =
      owned.length === 0
        ? []
        : await connectionsOf(await membersOf(context), context, port).catch((error: unknown) => {
            if (isAllOurs && error instanceof Failure) return []; // nobody needs to be asked whose those are
            throw error;
          });
    const now = Date.now();
    const found = owned.map(({ path, owner }) => ({
      path,
      owner,
      connection: connections.find(({ session }) => BigInt.asUintN(64, session) === owner),
      isOurs: own === owner,
    }));
    if (found.length === 1 && found[0]?.connection === undefined && found[0]?.isOurs === false)
      context.warn('its session has no connection at the moment: it ends unless its client comes back');
    if (owned.length === 0) context.warn(heldByNobody(persistent));
    const answer: Output = {
      ...(owned.length === 0 && { exit: 1 }),
      type: 'table',
      columns: [
        { name: 'path', isPath: true },
        { name: 'session', drop: 2 },
        { name: 'client' },
        { name: 'server', drop: 3 },
        { name: 'connected', drop: 1 },
      ],
      isTold: owned.length === 0,
      foot: owned.length > 0 && persistent.length > 0 ? [heldByNobody(persistent)] : [],
      rows: found.map(({ path, owner, connection, isOurs }) => [
        path,
        hex(owner),
        connection?.client ?? (isOurs ? 'this shell' : '-'),
        connection?.server ?? (isOurs ? ownServer : '-'),
        connection?.since === undefined ? '-' : new Date(connection.since).toISOString(),
      ]),
      humanRows: found.map(({ path, owner, connection, isOurs }) => [
        path,
        hex(owner),
        connection === undefined
          ? isOurs
            ? 'this shell'
            : 'not connected'
          : `${connection.client}${isOurs ? ' (this shell)' : ''}`,
        connection?.server ?? (isOurs ? ownServer : '-'),
        connection?.since === undefined ? '-' : showAge(connection.since, now),
      ]),
      json: found.map(({ path, owner, connection, isOurs }) => ({
        path,
        session: hex(owner),
        client: connection?.client ?? null,
        server: connection?.server ?? (isOurs ? (client.server ?? null) : null),
        connectedSince: connection?.since === undefined ? null : new Date(connection.since).toISOString(),
        timeoutMs: connection?.timeoutMs ?? null,
        ours: isOurs,
      })),
    };
    if (failed.length === 0) return answer;
    context.show(answer);
    throw joined(failed);
  },
});

const heldByNobody = (paths: readonly string[]): string =>
  paths.length === 1
    ? `nobody holds ${quoteWord(paths[0] as string)}: it is persistent`
    : `nobody holds the ${plural(paths.length, 'persistent node')} named`;
