import { KeeperError } from '../base/errors.ts';
import { joinPath, nameOf } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import { fourLetterWord } from '../client/connect.ts';
import { parseConnectString } from '../client/connect-string.ts';
import type { Standing } from '../recipes/index.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { HeedingClient } from '../shell/heeding.ts';
import type { Output } from '../shell/output.ts';
import { hex, showAge } from '../shell/units.ts';
import { withSuggestion } from './support.ts';

/** Of so many nodes of a folder it is looked who holds them. */
const MOST_IN_FOLDER = 500;

/** Who holds and waits at each lock of a folder. */
async function inFolder(
  client: Client,
  folder: string,
  standings: (client: Client, path: string) => Promise<Standing[]>,
  warn: (line: string) => void,
): Promise<Standing[][]> {
  const { children } = await client.getChildren(folder);
  if (children.length > MOST_IN_FOLDER)
    warn(`only the first ${MOST_IN_FOLDER} of ${children.length} nodes are looked at; locks PATH looks at one`);
  const all: Standing[][] = [];
  for (const name of children.sort().slice(0, MOST_IN_FOLDER))
    all.push(
      await standings(client, joinPath(folder, name)).catch((error: unknown) => {
        // it went, or is none of ours to see
        if (error instanceof KeeperError && (error.code === 'NoNode' || error.code === 'NoAuth')) return [];
        throw error;
      }),
    );
  return all;
}

/** For the answer of every server together, ms. */
const ASK_MS = 1000;

/** Who holds, who waits. */
export default command({
  name: 'locks',
  group: 'coordination',
  about: 'who holds and who waits at a lock, election or semaphore',
  risk: 'read',
  params: {
    path: { kind: 'path', about: 'the lock; default the current node', optional: true },
  },
  examples: [
    ['locks /jobs/nightly', 'holders first, then those who wait, in their order'],
    ['locks /jobs', 'of each lock in a folder'],
    ['locks /jobs/nightly | wc -l', 'how many hold it or wait'],
  ],
  exits: [10, 14],
  notes: [
    'Understands the nodes of zoosh, kazoo and Curator. Addresses of clients are shown where servers allow the word cons',
    '(4lw.commands.whitelist). Since is when it came, not when it got in.',
  ],
  async run({ path = '' }, context): Promise<Output> {
    const at = path === '' ? context.cwd : path;
    const client = new HeedingClient(await context.client(), context.signal);
    const { standings } = await import('../recipes/index.ts');
    const own = await withSuggestion(at, context, () => standings(client, at));
    const groups = own.length > 0 ? [own] : await inFolder(client, at, standings, (line) => context.warn(line));
    const all = groups.flat();
    const addresses = all.length === 0 ? new Map<string, string>() : await addressesOf(context);
    const now = Date.now();
    const rows = groups
      .flatMap((each) => each.map((one, place) => ({ one, place })))
      .map(({ one: each, place }) => ({
        position: place + 1,
        state: each.state,
        style: each.style,
        role: each.role,
        id: each.id,
        since: each.since,
        client: addresses.get(hex(each.session)),
        session: hex(each.session),
        token: String(each.token),
        node: each.node,
      }));
    const cells = (showTime: (since: number) => string): string[][] =>
      rows.map((row) => [
        String(row.position),
        row.role === 'read' ? `${row.state} (read)` : row.state,
        showTime(row.since),
        row.id === '' ? '-' : row.id,
        row.client ?? '-',
        row.session,
        own.length > 0 ? nameOf(row.node) : row.node.slice(at === '/' ? 1 : at.length + 1),
      ]);
    return {
      type: 'table',
      columns: [
        { name: '#', right: true },
        { name: 'state' },
        { name: 'since' },
        { name: 'id' },
        { name: 'client', drop: 3 },
        { name: 'session', drop: 1 },
        { name: 'node', drop: 2, isPath: true },
      ],
      rows: cells((since) => new Date(since).toISOString()),
      humanRows: cells((since) => showAge(since, now)),
      json: rows.map((row) => ({ ...row, since: new Date(row.since).toISOString(), client: row.client ?? null })),
    };
  },
});

/** Address of each session that a server tells of. */
async function addressesOf({ session, signal }: CommandContext): Promise<Map<string, string>> {
  const out = new Map<string, string>();
  const ask = parseConnectString(session.target).servers.map((server) =>
    fourLetterWord('cons', { ...server, tls: session.tls, signal, timeoutMs: ASK_MS }).then(
      (answer) => {
        for (const [, address, id] of answer.matchAll(/^\s*\/(\S+?)\[.*\bsid=(0x[0-9a-f]+)/gm))
          if (address !== undefined && id !== undefined) out.set(id, address);
      },
      () => {}, // one that is down knows of nobody
    ),
  );
  await Promise.all(ask);
  signal.throwIfAborted();
  return out;
}
