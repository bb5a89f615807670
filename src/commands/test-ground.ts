/** What the commands that try servers out share: a session with each, a node of their own, and nothing left behind. */
import { setTimeout as pause } from 'node:timers/promises';
import { KeeperError } from '../base/errors.ts';
import { joinPath } from '../base/path.ts';
import { type Client, ConnectError, type CreateOptions, MultiError } from '../client/api.ts';
import { parseConnectString, showServer } from '../client/connect-string.ts';
import type { CommandContext, Param } from '../shell/command.ts';
import { Failure, failureOf, refused, usage } from '../shell/failure.ts';
import { isOwn } from '../shell/own-nodes.ts';
import { quoteWord } from '../shell/paths.ts';
import { hex, plural } from '../shell/units.ts';

/** Taking away what was made may take so long, also once somebody has pressed Ctrl-C, ms. */
const CLEAN_MS = 60_000;
/** A session that breaks meanwhile is replaced so often. */
const CLEAN_TRIES = 5;
const CLEAN_PAUSE_MS = 300;
/** Nodes in one transaction. */
const CLEAN_BATCH = 500;
/** Below a root that was there before. */
const BELOW = 'zoosh-test-';

export const TEST_OPTIONS = {
  quiet: { kind: 'flag', short: '-q', long: '--quiet', about: 'say only how it ended' },
  verbose: { kind: 'flag', short: '-v', long: '--verbose', about: 'say more' },
} as const satisfies Record<string, Param>;
export const serversOption = (about: string) =>
  ({ kind: 'text', long: '--servers', about, placeholder: 'LIST' }) as const satisfies Param;

/** Where to go, and what people call it. */
export interface Place {
  readonly label: string;
  readonly connect: string;
}
const MAX_TIMEOUT_MS = 3_600_000;

/** What the session is to connect to. @throws Failure why there is nothing */
export async function targetOf(context: CommandContext): Promise<string> {
  const { target } = context.session;
  if (target === '') await context.client();
  return target;
}

/** Each server of a list, or of the session's own; the session's chroot is kept where the list has none. @throws ConnectStringError */
export function placesOf(list: string | undefined, target: string): Place[] {
  const { servers, chroot } = parseConnectString(list ?? target);
  const below = chroot === '' ? parseConnectString(target).chroot : chroot;
  const places = servers.map((server) => ({ label: showServer(server), connect: `${showServer(server)}${below}` }));
  const labels = places.map(({ label }) => label);
  const twice = labels.find((label, at) => labels.indexOf(label) < at);
  if (twice !== undefined) throw usage(`${twice} is named twice`);
  return places;
}
/** All of a list as one place. @throws ConnectStringError */
export function clusterOf(list: string, target: string): Place {
  const { servers, chroot } = parseConnectString(list);
  const label = servers.map(showServer).join(',');
  return { label, connect: `${label}${chroot === '' ? parseConnectString(target).chroot : chroot}` };
}

export interface TestSession {
  readonly server: string;
  readonly client: Client;
  /** How long it took to open, ms. */
  readonly openMs: number;
}

export interface GroundOptions {
  /** A session with each is opened, in this order. */
  readonly places: readonly Place[];
  /** Session timeout asked for, ms. */
  readonly timeoutMs: number;
  /** The node below which all happens. */
  readonly root: string;
  /** What may be done with a root that is there: nothing, work below it once it is empty, or in any case. */
  readonly existing: 'refuse' | 'whenEmpty' | 'below';
  /** That a node below the base is one of those made here. */
  readonly isOwn: (name: string) => boolean;
}

/** @throws Failure (2) */
export function checkTimeout(name: string, timeoutMs: number | undefined, otherwise: number): number {
  if (timeoutMs !== undefined && (timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS))
    throw usage(`${name}: --timeout is from 1ms to ${MAX_TIMEOUT_MS / 3_600_000}h`);
  return timeoutMs ?? otherwise;
}

/**
 * Opens the sessions, makes the root, runs `work`, and takes away what was made here, whatever happened: also when it
 * failed, when its sessions are lost, and on Ctrl-C. A root that was there before stays as it was.
 * @throws Failure (2, 3, 4, 11, 30), what `work` throws, and Failure when something could not be taken away
 */
export async function onTestGround<T>(
  options: GroundOptions,
  context: CommandContext,
  work: (ground: TestGround) => Promise<T>,
): Promise<T> {
  const { root } = options;
  const isKept = options.places.some(({ connect }) => isOwn(parseConnectString(connect), root));
  if (isKept) throw refused(`${root} is ZooKeeper's own`, 'name another with --root_znode', root);
  context.graceMs = CLEAN_MS;
  const ground = await TestGround.open(options, context);
  let result: T;
  try {
    await ground.begin().catch((error: unknown) => {
      throw context.signal.aborted ? error : failedAt((options.places[0] as Place).label, `making ${root}`, error);
    });
    result = await work(ground);
  } catch (error) {
    await ground.end().catch((left: Error) => context.warn(left.message));
    throw error;
  }
  await ground.end();
  return result;
}

export class TestGround {
  readonly sessions: readonly TestSession[];
  readonly #options: GroundOptions;
  readonly #context: CommandContext;
  /** What the node made here holds: nobody else's does. */
  readonly #mark: string;
  /** Something may have been made. */
  #hasBegun = false;
  #base: string | undefined;
  /** The base is a root that was there, and stays. */
  #isBorrowed = false;

  private constructor(options: GroundOptions, context: CommandContext, sessions: readonly TestSession[]) {
    this.sessions = sessions;
    this.#options = options;
    this.#context = context;
    const who = hex(this.#first().sessionId);
    this.#mark = `made by a test of zoosh, which removes it when it ends; session ${who}, ${new Date().toISOString()}`;
  }

  /** Every server has to take a session before anything is made. @throws Failure (3, 4) naming those that do not */
  static async open(options: GroundOptions, context: CommandContext): Promise<TestGround> {
    const { session, signal } = context;
    const { places, timeoutMs } = options;
    const opened = await Promise.all(
      places.map(async ({ label, connect }) => {
        const began = performance.now();
        try {
          const client = await session.openAt(connect, { timeoutMs, isPatient: true, signal });
          return { server: label, client, openMs: performance.now() - began };
        } catch (error) {
          return { server: label, error };
        }
      }),
    );
    const sessions = opened.filter((each): each is TestSession => 'client' in each);
    const refusals = opened.flatMap((each) => ('error' in each ? [each] : []));
    const [first] = refusals;
    if (first === undefined) return new TestGround(options, context, sessions);
    await Promise.all(sessions.map(({ client }) => client.close()));
    signal.throwIfAborted();
    const { exit, code, hint } = failureOf(first.error);
    const lines = new Set(refusals.map(({ server, error }) => `${server}: ${whyNot(error)}`));
    const count = new Set(places.map(({ label }) => label)).size;
    const who = count === 1 ? first.server : `${lines.size} of ${count} servers`;
    throw new Failure(exit, code, `${who} took no session`, {
      lines: [...lines],
      cause: first.error,
      hint: exit === 3 ? 'nothing was made; status shows which servers there are' : hint,
    });
  }

  /** Where all is made. */
  get base(): string {
    if (this.#base === undefined) throw new Error('the ground was not prepared');
    return this.#base;
  }
  pathOf(name: string): string {
    return joinPath(this.base, name);
  }

  /** Makes the node that all is made below. @throws Failure (11) when there is one that may not be used, KeeperError */
  async begin(): Promise<void> {
    const { root, existing } = this.#options;
    const { signal } = this.#context;
    const client = this.#first();
    await client.sync(root, { signal });
    const stat = await client.exists(root, { signal });
    if (stat === undefined) {
      this.#hasBegun = true;
      this.#base = (await client.create(root, this.#mark, { signal })).path;
      return;
    }
    if (existing === 'below') {
      this.#hasBegun = true;
      const options: CreateOptions = { mode: 'persistentSequential', signal };
      this.#base = (await client.create(joinPath(root, BELOW), this.#mark, options)).path;
      return;
    }
    if (existing === 'refuse')
      throw new Failure(11, 'NodeExists', `node already exists: ${root}`, {
        path: root,
        hint: `--force works in a node of its own below it; deleteall ${quoteWord(root)} removes what an earlier run left`,
      });
    if (stat.numChildren > 0)
      throw new Failure(11, 'NodeExists', `${root} has ${plural(stat.numChildren, 'node')} below it`, {
        path: root,
        hint: `another test runs, or one was cut off: deleteall ${quoteWord(root)} removes what it left`,
      });
    this.#hasBegun = true;
    this.#isBorrowed = true;
    this.#base = root;
  }

  #first(): Client {
    return (this.sessions[0] as TestSession).client;
  }

  /** Takes away what was made, and ends the sessions. @throws Failure when something stays */
  async end(): Promise<void> {
    try {
      if (this.#hasBegun) await this.#clean();
    } finally {
      await this.#close();
    }
  }

  #close(): Promise<unknown> {
    return Promise.all(this.sessions.map(({ client }) => client.close()));
  }

  async #clean(): Promise<void> {
    const signal = AbortSignal.timeout(CLEAN_MS);
    using _progress = this.#context.progress('removing what was made');
    const { places, timeoutMs, root } = this.#options;
    const all = clusterOf(places.map(({ label }) => label).join(','), (places[0] as Place).connect).connect;
    let why: unknown;
    for (let tries = 0; tries < CLEAN_TRIES && !signal.aborted; tries++) {
      // behind what a session has asked for already its own requests come last: nothing appears after them
      const known = this.sessions.map(({ client }) => client).filter(({ state }) => state === 'connected')[tries];
      let client = known;
      try {
        if (client === undefined) {
          await this.#close();
          client = await this.#context.session.openAt(all, { timeoutMs, isPatient: true, signal });
        }
        await client.sync(root, { signal });
        if (await this.#cleanBy(client, signal)) return;
        why = new KeeperError('NotEmpty', this.#base ?? root);
        break;
      } catch (error) {
        why = error;
        if (error instanceof ConnectError) break; // that was tried for long enough
      } finally {
        if (client !== known) await client?.close();
      }
      await pause(CLEAN_PAUSE_MS);
    }
    const { exit, code, message } = failureOf(signal.aborted ? new KeeperError('OperationTimeout', root) : why);
    const left = this.#base ?? root;
    throw new Failure(exit, code, `what the test made below ${left} could not be removed: ${message}`, {
      path: left,
      hint: `look at it: deleteall ${quoteWord(left)} removes it`,
    });
  }

  /** False when somebody else made nodes below ours, which stays for them. */
  async #cleanBy(client: Client, signal: AbortSignal): Promise<boolean> {
    const bases = this.#base === undefined ? await this.#marked(client, signal) : [this.#base];
    let isGone = true;
    for (const base of bases) {
      const { children } = await client.getChildren(base, { signal }).catch(noChildren);
      const own = children.filter(this.#options.isOwn).map((name) => joinPath(base, name));
      await deleteAll(client, own, signal);
      if (this.#isBorrowed) continue;
      await client.delete(base, -1, { signal }).catch((error: unknown) => {
        if (!(error instanceof KeeperError) || error.code !== 'NotEmpty') return ignoringNoNode(error);
        isGone = false;
      });
    }
    return isGone;
  }

  /** Nodes that hold our mark, where nobody knows whether their creation was carried out: one, or none. */
  async #marked(client: Client, signal: AbortSignal): Promise<string[]> {
    const { root, existing } = this.#options;
    const candidates = [root];
    if (existing === 'below') {
      const { children } = await client.getChildren(root, { signal }).catch(noChildren);
      candidates.push(...children.filter((name) => name.startsWith(BELOW)).map((name) => joinPath(root, name)));
    }
    const found = await Promise.all(
      candidates.map((path) =>
        client.get(path, { signal }).then(({ data }) => data?.toString() === this.#mark, isMissing),
      ),
    );
    return candidates.filter((_path, at) => found[at]);
  }
}

/** In transactions; one that fails, since a node of it is gone already, is done again node by node. */
async function deleteAll(client: Client, paths: readonly string[], signal: AbortSignal): Promise<void> {
  for (let at = 0; at < paths.length; at += CLEAN_BATCH) {
    const part = paths.slice(at, at + CLEAN_BATCH);
    const ops = part.map((path) => ({ op: 'delete', path, version: -1 }) as const);
    try {
      await client.multi(ops, { signal });
    } catch (error) {
      if (!(error instanceof MultiError)) throw error;
      await Promise.all(part.map((path) => client.delete(path, -1, { signal }).catch(ignoringNoNode)));
    }
  }
}

const isNoNode = (error: unknown): boolean => error instanceof KeeperError && error.code === 'NoNode';
const ignoringNoNode = (error: unknown): void => {
  if (!isNoNode(error)) throw error;
};
const isMissing = (error: unknown): false => {
  if (!isNoNode(error)) throw error;
  return false;
};
const noChildren = (error: unknown): { children: string[] } => {
  if (!isNoNode(error)) throw error;
  return { children: [] };
};
const whyNot = (error: unknown): string =>
  error instanceof ConnectError ? (error.hosts.at(-1)?.reason ?? 'no reason given') : failureOf(error).message;

/** What went wrong on a server, said with its name; what is no refusal of a server's stays what it is. */
export function failedAt(server: string, during: string, error: unknown): unknown {
  if (!(error instanceof KeeperError)) return error;
  const { exit, code, message, hint, path } = failureOf(error);
  return new Failure(exit, code, `${server}: ${during}: ${message}`, { cause: error, hint, path });
}

/** Waits for what events bring, and no longer than it should. */
export class Waiter {
  #wake = (): void => {};
  /** Something has come. */
  wake(): void {
    this.#wake();
  }
  /** Resolves when it is done, or after so long. @throws the signal's reason */
  async until(isDone: () => boolean, limitMs: number, { clock }: Client, signal: AbortSignal): Promise<void> {
    let isLate = false;
    using _timer = clock.after(limitMs, () => {
      isLate = true;
      this.#wake();
    });
    const giveUp = (): void => this.#wake();
    signal.addEventListener('abort', giveUp, { once: true });
    while (!isDone() && !isLate && !signal.aborted)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    signal.removeEventListener('abort', giveUp);
    signal.throwIfAborted();
  }
}
