/**
 * A session with very many ephemerals ends in an ensemble of three, through the leader, through a follower, and by expiry. By hand:
 * `node dist/test/bench/ephemerals.js [COUNT]`. Says how long other clients' pings and writes waited at each member meanwhile, and
 * how long each member's loop was busy without a break (loop-probe.js).
 */
import { connect, type Socket } from 'node:net';
import { type MemberOfTest, Members, until } from '../e2e/members.ts';
import { hello, makeParent, replies, request } from './load.ts';
import { Pinger } from './pinger.ts';
import { probed } from './probed.ts';
import { Writers } from './writers.ts';

export const WAYS = ['the leader', 'a follower', 'expiry'] as const;
const DEPTH = 500;
/** Nobody pings for it: of the session that is to expire, and of those that are to be there until they are closed. */
const EXPIRES_MS = 10_000;
const STAYS_MS = 40_000;
/** Of the ephemerals' names, so that those of the writers beside them are others. */
const FIRST_KEY = 10_000_000;
const WITHIN_MS = 60_000;

/** Opens a session and creates that many ephemerals in it, some hundred under way at a time. */
function session(port: number, count: number, timeoutMs: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let sent = 0;
  let done = 0;
  const fill = (): void => {
    const batch: Buffer[] = [];
    for (; sent < count && sent - done < DEPTH; sent++) {
      const create = request('create', FIRST_KEY + sent, sent + 1);
      create.writeInt32BE(1, create.length - 4); // an ephemeral
      batch.push(create);
    }
    if (batch.length > 0) socket.write(Buffer.concat(batch));
  };
  return new Promise((resolve, reject) => {
    replies(
      socket,
      fill,
      (err) => {
        if (err !== 0) reject(new Error(`an ephemeral was refused with ${err}`));
        if (++done === count) resolve(socket);
      },
      fill,
    );
    socket.on('error', () => {});
    socket.on('close', () => reject(new Error(`the connection ended after ${done}`)));
    const first = hello();
    first.writeInt32BE(timeoutMs, 16);
    socket.write(first);
  });
}
function close(socket: Socket): void {
  const bytes = Buffer.alloc(12);
  bytes.writeInt32BE(8, 0);
  bytes.writeInt32BE(1, 4);
  bytes.writeInt32BE(-11, 8);
  socket.write(bytes);
}
async function ephemeralsAt(member: MemberOfTest): Promise<number> {
  return Number(/^zk_ephemerals_count\t(\d+)$/m.exec(await member.word('mntr'))?.[1]);
}

export interface EndFigures {
  readonly way: (typeof WAYS)[number];
  /** From the end of the session until its ephemerals are gone everywhere, ms; with expiry the timeout is in it. */
  readonly goneMs: number;
  readonly members: readonly {
    readonly leads: boolean;
    readonly longestPingMs: number;
    readonly longestWriteMs: number;
    /** For how long its loop was busy without a break, as long as its thread ran. */
    readonly busyMs: number;
    readonly slowPings: number;
  }[];
  readonly errors: number;
  readonly endedPings: number;
  readonly ownLateMs: number;
}

/** One ensemble, one session for each of `ways`. */
export async function endSessions(count: number, ways: readonly (typeof WAYS)[number][]): Promise<EndFigures[]> {
  await using members = await Members.start({ voters: 3, tickMs: 2000, lines: ['maxClientCnxns=0'], wrap: probed });
  const leader = await members.leader();
  const follower = await members.follower();
  await makeParent(leader.clientPort);
  const out: EndFigures[] = [];
  let key = 1;
  for (const way of ways) {
    const timeoutMs = way === 'expiry' ? EXPIRES_MS : STAYS_MS;
    const socket = await session((way === 'a follower' ? follower : leader).clientPort, count, timeoutMs);
    const told = members.all.map(probesOf);
    const pingers = members.all.map(({ clientPort }) => new Pinger(clientPort));
    const writers = members.all.map(({ clientPort }) => new Writers('create', [clientPort], (key += 1_000_000), 1));
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (const each of [...pingers, ...writers]) each.reset();
    for (const each of members.all) each.signal('SIGUSR2');
    const from = performance.now();
    if (way === 'expiry') socket.destroy();
    else close(socket);
    for (const member of members.all)
      await until(
        async () => (await ephemeralsAt(member)) === 0,
        WITHIN_MS,
        () => `the ephemerals stay at member ${member.id}: ${members.tail()}`,
      );
    const goneMs = performance.now() - from;
    await new Promise((resolve) => setTimeout(resolve, 200));
    const figures = pingers.map(({ longest, slow }, at) => ({
      leads: members.all[at] === leader,
      longestPingMs: longest,
      longestWriteMs: writers[at]?.longest ?? Number.NaN,
      slowPings: slow.length,
    }));
    const ownLateMs = Math.max(...pingers.map(({ ownLate }) => ownLate));
    for (const each of members.all) each.signal('SIGUSR2');
    const endedPings = pingers.filter(({ ended }) => ended).length;
    await Promise.all(writers.map((each) => each.stop()));
    for (const each of pingers) each.close();
    socket.destroy();
    await until(
      () => members.all.every((each, at) => probesOf(each) > (told[at] ?? 0) + 1),
      WITHIN_MS,
      () => `a member does not tell how busy it was: ${members.tail()}`,
    );
    // what a member said at the second signal is about the time since the first
    const busy = members.all.map(({ log }) => Number(/([\d.]+) ms running/.exec(lastProbe(log))?.[1]));
    out.push({
      way,
      goneMs,
      members: figures.map((each, at) => ({ ...each, busyMs: busy[at] ?? Number.NaN })),
      errors: writers.reduce((sum, each) => sum + each.errors, 0),
      endedPings,
      ownLateMs,
    });
  }
  return out;
}
const probesOf = ({ log }: MemberOfTest): number => [...log.matchAll(/loop probe: .*\n/g)].length;
const lastProbe = (log: string): string => log.slice(log.lastIndexOf('loop probe:'));

async function main(): Promise<void> {
  for (const figures of await endSessions(Number(process.argv[2] ?? 100_000), WAYS)) {
    const { way, goneMs, ownLateMs, errors, endedPings } = figures;
    console.log(
      `${way}: gone everywhere after ${goneMs.toFixed(0)} ms; errors ${errors}, pings ended ${endedPings}; own lateness ${ownLateMs.toFixed(1)} ms`,
    );
    for (const { leads, longestPingMs, longestWriteMs, busyMs, slowPings } of figures.members)
      console.log(
        `  ${leads ? 'leader  ' : 'follower'}: longest ping ${longestPingMs.toFixed(1)} ms (${slowPings} above 20), longest pause of a writer ${longestWriteMs.toFixed(1)} ms, loop busy at most ${busyMs} ms`,
      );
  }
}
if (process.argv[1]?.endsWith('ephemerals.js') === true) {
  await main();
  process.exit();
}
