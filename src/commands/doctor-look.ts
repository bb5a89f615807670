/** What the doctor finds out about each server, besides what it says in srvr and mntr. */
import type { Client } from '../client/api.ts';
import { ConnectError } from '../client/api.ts';
import { adminReply } from '../shell/admin-server.ts';
import type { CommandContext } from '../shell/command.ts';
import { ask, type Connection, connectionsOf, type Report } from '../shell/members.ts';
import { type TlsLook, tlsLook } from '../shell/tls-look.ts';
import { type DiskLook, diskLook } from './doctor-disk.ts';

const TLS_MS = 3000;

/** That a server's clock is ahead of ours by no less than `least` and no more than `most` ms. */
export interface Skew {
  readonly least: number;
  readonly most: number;
}

export interface Look extends AsyncDisposable {
  readonly report: Report;
  /** Why it takes no session; undefined: it does. */
  readonly refusal: string | undefined;
  readonly admin: boolean;
  /** Its AdminServer tells more only to those who log in, and this session's logins are none of those. */
  readonly adminRefuses?: boolean;
  readonly tls: TlsLook | { readonly fault: string } | undefined;
  readonly disk: DiskLook | undefined;
  /**
   * Who is connected, without our session; `skew` undefined: nothing tells its clock. Undefined: it does not say.
   */
  connections(): Promise<{ readonly others: readonly Connection[]; readonly skew: Skew | undefined } | undefined>;
  /** As its AdminServer tells it, to the second. */
  readonly skew: Skew | undefined;
}

/** Looks at one server. Its session stays until it is disposed of. */
export async function lookAt(report: Report, adminPort: number, context: CommandContext): Promise<Look> {
  const { signal, session } = context;
  const { server } = report.member;
  const began = Date.now();
  const [taken, admin, more, tls, disk] = await Promise.all([
    sessionWith(report.host, context),
    adminReply('ruok', server, adminPort, context).then((reply) => ({ reply, answered: Date.now() })),
    adminReply('dirs', server, adminPort, context),
    session.tls &&
      tlsLook(server, session.tls, AbortSignal.any([signal, AbortSignal.timeout(TLS_MS)])).catch((error: Error) => {
        signal.throwIfAborted();
        return { fault: error.name === 'TimeoutError' ? 'does not answer' : error.message };
      }),
    report.role === undefined ? undefined : diskLook(server, adminPort, context),
  ]);
  const { client } = taken;
  let isSame = true;
  client?.on('state', () => {
    isSame = false; // what is connected now is not what was timed
  });
  const { reply, answered } = admin;
  return {
    report,
    refusal: taken.refusal,
    admin: reply !== undefined,
    adminRefuses: more === 'refused',
    tls,
    disk,
    // the date is cut to the second
    skew:
      reply === 'refused' || reply?.date === undefined
        ? undefined
        : { least: reply.date - answered, most: reply.date + 999 - began },
    async connections() {
      const all = await connectionsOf([report.member], context, adminPort).catch(() => {
        signal.throwIfAborted();
        return undefined;
      });
      const own = BigInt.asUintN(64, client?.sessionId ?? 0n);
      const mine = all?.find((each) => BigInt.asUintN(64, each.session) === own);
      // whoever leaves us out may leave others out, too
      if (all === undefined || (client !== undefined && mine === undefined)) return undefined;
      const since = isSame ? mine?.since : undefined;
      const skew = since === undefined ? undefined : { least: since - taken.until, most: since - taken.from };
      return { others: all.filter((each) => each !== mine), skew };
    },
    [Symbol.asyncDispose]: async () => client?.close(),
  };
}

interface Taken {
  readonly client?: Client;
  readonly refusal?: string;
  /** It was opened between these, ms since 1970. */
  readonly from: number;
  readonly until: number;
}

async function sessionWith(host: string, { session, signal }: CommandContext): Promise<Taken> {
  const from = Date.now();
  try {
    const client = await session.openAt(host);
    return { client, from, until: Date.now() };
  } catch (error) {
    signal.throwIfAborted();
    const refusal = error instanceof ConnectError ? error.hosts[0]?.reason : (error as Error).message;
    return { refusal: refusal ?? 'it does not say why', from, until: Date.now() };
  }
}

/** Words of `all` that a server does not allow. */
export async function forbiddenOf(
  all: readonly string[],
  { member: { server } }: Report,
  context: CommandContext,
): Promise<string[]> {
  const answers = await Promise.all(
    all.map(async (word) => {
      const answer = await ask(word, server, context).catch(() => '');
      context.signal.throwIfAborted();
      return answer === undefined ? [word] : [];
    }),
  );
  return answers.flat();
}
