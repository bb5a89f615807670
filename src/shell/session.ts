import { isIP } from 'node:net';
import { KeeperError } from '../base/errors.ts';
import {
  type Client,
  type ClientState,
  ConnectError,
  type ConnectOptions,
  type Credential,
  type HostFailure,
  type StateChange,
  type WatchEvent,
  type WatchKind,
  type WatchListener,
} from '../client/api.ts';
import { parseConnectString, showServer } from '../client/connect-string.ts';
import type { FourLetterOptions } from '../client/four-letter.ts';
import { ReadOnlyClient } from './changes.ts';
import type { OpenAtOptions, SessionControl } from './command.ts';
import { Failure, refused } from './failure.ts';
import { KeptWatches, type ListedWatch } from './kept-watches.ts';
import { largeReplyIn, noteConnection } from './large-reply.ts';
import { orAbort } from './or-abort.ts';
import { factsOf, type ServerFacts } from './server-facts.ts';
import type { Target } from './target.ts';
import { choice, hex, plural, showDuration } from './units.ts';

export type { Target } from './target.ts';

/** Told while a client goes on trying: none of the servers takes a connection. */
export type Refused = (hosts: readonly HostFailure[]) => void;

export interface SessionPorts {
  readonly connect: (connectString: string, options: ConnectOptions, refused?: Refused) => Promise<Client>;
  /** `@profile` or a connect string to a target. @throws Failure (2) */
  readonly target: (text: string) => Target;
  /** Sends a four-letter word, without a session. */
  readonly word: (word: string, options: FourLetterOptions) => Promise<string>;
  /** Connection news, for people. */
  readonly news: (line: string) => void;
  /** The prompt may look different now. */
  readonly changed: () => void;
  readonly watched: (event: WatchEvent) => void;
  /** ms, monotonic */
  readonly now: () => number;
  /** A prompt goes on: after an expiry the next session begins at once. */
  readonly interactive: boolean;
}

/** A server that is asked on its own has so long to answer. */
const MEMBER_MS = 3000;
/** What waits so long for a session is told, ms. */
const WAITS_MS = 1000;
/** A prompt without a server looks for one so long, ms: a day. */
const QUIETLY_MS = 86_400_000;

/** The session the shell keeps: connects when it is first needed, tells what happens to it, begins the next one. */
export class ShellSession implements SessionControl {
  readonly #ports: SessionPorts;
  #target: Target;
  #pending: Promise<Client> | undefined;
  /** Gives up a connection that is not there yet. */
  #giveUp = new AbortController();
  #client: Client | undefined;
  #auth: Credential[];
  /** Targets opened besides that are protected. */
  readonly #protected = new Set<string>();
  #isClosed = false;
  /** It was said that no server is there; who goes on looking says nothing before there is one. */
  #isToldOfNone = false;
  /** Nobody waits for the connection that is looked for. */
  #isQuiet = false;
  #refusals: readonly HostFailure[] = [];
  #onRefused: Refused = () => {};
  /** For this connection it was said that a command waits. */
  #toldFor: Promise<Client> | undefined;
  #lostAt = 0;
  /** It was said that what is typed waits, since the connection was lost. */
  #toldWaiting = false;
  readonly #ephemerals = new Set<string>();
  readonly #watches: KeptWatches;
  /** The version of each node as last read here, in the tree that the target names: of another one it says nothing. */
  readonly versionsRead = new Map<string, number>();
  /** The next session takes the place of one that was lost. */
  #isAnew = false;
  #facts: ServerFacts | undefined;
  /** The server of the connection that stands or stood last. */
  #inUse: string | undefined;

  constructor(target: Target, ports: SessionPorts) {
    this.#target = target;
    this.#ports = ports;
    this.#watches = new KeptWatches(
      () => Date.now(),
      (line) => ports.news(line),
    );
    this.#auth = [...(target.options.auth ?? [])];
  }

  get target(): string {
    return this.#target.server;
  }
  get label(): string {
    const { label, profile, server } = this.#target;
    return label ?? (profile === undefined ? server : `@${profile}`);
  }
  get tls(): ConnectOptions['tls'] {
    return this.#target.options.tls;
  }
  word(word: string, options: FourLetterOptions): Promise<string> {
    return this.#ports.word(word, { tls: this.tls, ...options });
  }
  get credentials(): readonly Credential[] {
    return this.#auth;
  }
  /** What the server in use said of itself when it was last asked. */
  get knownFacts(): ServerFacts | undefined {
    return this.#facts?.server === this.#client?.server ? this.#facts : undefined;
  }
  /** There is no other server that the session could move to: one address, not a name that may stand for several. */
  get isOfOneServer(): boolean {
    if (this.#target.fault !== undefined) return false;
    const [first, second] = parseConnectString(this.#target.server).servers;
    return first !== undefined && second === undefined && (isIP(first.host) !== 0 || first.host === 'localhost');
  }
  /** The target names more servers than one. */
  get #hasOthers(): boolean {
    return parseConnectString(this.#target.server).servers.length > 1;
  }
  /** Asks the server in use, or without one those of the target, one after the other. */
  async facts(): Promise<ServerFacts | undefined> {
    const { server, fault } = this.#target;
    const inUse = this.#client?.server;
    const asked =
      inUse !== undefined ? [inUse] : fault !== undefined ? [] : parseConnectString(server).servers.map(showServer);
    for (const each of asked) {
      const found = await factsOf(each, (word, options) => this.word(word, options));
      if (found === undefined) continue;
      this.#facts = found;
      this.#ports.changed();
      return found;
    }
    return undefined;
  }
  get profile(): string | undefined {
    return this.#target.profile;
  }
  get details(): Target {
    return this.#target;
  }
  get current(): Client | undefined {
    return this.#client;
  }
  get state(): ClientState | 'none' {
    if (this.#client !== undefined) return this.#client.state;
    if (this.#pending !== undefined && !this.#isToldOfNone) return 'connecting';
    return this.#isClosed ? 'closed' : 'none';
  }

  /** The session, begun when there is none. @throws ConnectError, KeeperError AuthFailed, Failure (3) after `close` */
  client(): Promise<Client> {
    if (this.#target.fault !== undefined) return Promise.reject(this.#target.fault);
    if (this.#isClosed)
      return Promise.reject(new Failure(3, 'NotConnected', 'not connected', { hint: 'connect begins a new session' }));
    if (this.#client !== undefined && isOver(this.#client.state)) {
      this.#drop();
      this.#isAnew = true;
    }
    // who asks for it gets a try of his own, which ends in time
    if (this.#isQuiet && this.#client === undefined) this.#giveUpPending();
    this.#pending ??= this.#begin();
    return this.#pending;
  }
  /** The same for a prompt: when every server refuses this is known at once, and the first try goes on all the same. */
  greeted(): Promise<Client> {
    const refused = new Promise<never>((_, reject) => {
      this.#onRefused = (hosts) => reject(new ConnectError(hosts, 0));
    });
    return Promise.race([this.client(), refused]);
  }
  /** The same for a command: when that takes a while, somebody who sits at a prompt is told for what it waits. */
  async awaited(): Promise<Client> {
    const pending = this.client();
    if (!this.#ports.interactive || this.#client !== undefined) return pending;
    const timer = setTimeout(() => {
      if (this.#toldFor === pending) return;
      this.#toldFor = pending;
      const why = new Map(this.#refusals.map(({ host, reason }) => [host, ` (${reason})`]));
      const hosts = parseConnectString(this.#target.server).servers.map(showServer);
      const named = hosts.slice(0, 3).map((host) => `${host}${why.get(host) ?? ''}`);
      this.#ports.news(`waiting for ${choice(hosts.length > 3 ? [...named, 'another'] : named)}; Ctrl-C gives up`);
    }, WAITS_MS);
    try {
      return await pending;
    } finally {
      clearTimeout(timer);
    }
  }

  async connect(text: string | undefined, signal: AbortSignal): Promise<Client> {
    const next = text === undefined ? undefined : this.#ports.target(text);
    this.#tellLeft();
    const ended = this.#end();
    if (next !== undefined) {
      if (next.server !== this.#target.server) this.versionsRead.clear();
      this.#target = next;
      this.#auth = [...(next.options.auth ?? [])];
    }
    // given up, it is as after close: what is typed next goes to nobody unasked
    this.#isClosed = true;
    this.#isToldOfNone = false;
    try {
      await orAbort(ended, signal);
      this.#isClosed = false;
      const pending = this.client();
      this.#ports.changed();
      return await orAbort(pending, signal);
    } catch (error) {
      if (signal.aborted) {
        this.#isClosed = true;
        this.#leave();
      }
      throw error;
    } finally {
      this.#ports.changed();
    }
  }

  /** A session of its own, which tells nothing and is whoever's asked for it. */
  async open(text: string): Promise<Client> {
    const { server, options, fault, protect, readOnly } = this.#ports.target(text);
    if (fault !== undefined) throw fault;
    if (protect === true) this.#protected.add(text);
    let mine: Client | undefined;
    const client = await this.#ports.connect(server, {
      ...options,
      onState: (change) => {
        if (mine !== undefined) noteConnection(mine, change);
      },
    });
    const why = (): Failure => refused(`${text} is read-only`, "its profile's readOnly says so; leave that out");
    mine = readOnly === true ? new ReadOnlyClient(client, why()) : client;
    return mine;
  }
  isProtected(text: string | undefined): boolean {
    return text === undefined ? this.#target.protect === true : this.#protected.has(text);
  }

  /** The same with one server of the ensemble, to see whether it takes any. */
  openAt(servers: string, { isPatient = false, ...more }: OpenAtOptions = {}): Promise<Client> {
    const { options } = this.#target;
    const momentMs = Math.min(MEMBER_MS, options.connectTimeoutMs ?? MEMBER_MS);
    const connectTimeoutMs = isPatient ? options.connectTimeoutMs : momentMs;
    return this.#ports.connect(servers, {
      ...options,
      auth: this.#auth,
      ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
      ...more,
    });
  }

  async close(): Promise<void> {
    this.#tellLeft();
    this.#isClosed = true; // before it ends: who still looks at something must not begin another
    await this.#end(); // and those before it
    this.#ports.changed();
  }

  async addAuth(scheme: string, auth: string): Promise<void> {
    const client = await this.client();
    try {
      await client.addAuth(scheme, auth);
    } catch (error) {
      if (isRefused(error)) {
        // the server hangs up on who presents a bad credential; the shell goes on with a new session
        this.#drop();
        this.#ports.news('the credential was refused, and the server closed the connection');
        // it has not ended the session: until its time is over there is what it made
        const nodes = plural(this.#ephemerals.size, 'ephemeral node');
        this.#tellPaths(`goes within ${showDuration(client.negotiatedTimeoutMs)}: ${nodes}`, [...this.#ephemerals]);
        this.#ephemerals.clear();
        this.#tellLosses();
        await this.client();
      }
      throw error;
    }
    this.#auth.push({ scheme, auth });
  }

  /** Something that was asked waits for the connection; said once while it is lost. */
  tellWaiting(): void {
    if (this.#toldWaiting || !this.#ports.interactive || this.state !== 'suspended') return;
    this.#toldWaiting = true;
    this.#ports.news(`waiting for ${this.#inUse ?? 'the server'} to come back; Ctrl-C gives up`);
  }

  /** Where the watch stands that tells of a path: the nearest recursive one above, or the path itself. */
  watchOf(path: string): string {
    return this.#watches.over(path);
  }

  noteEphemeral(path: string): void {
    this.#ephemerals.add(path);
  }
  forgetEphemeral(path: string): void {
    this.#ephemerals.delete(path);
  }

  async addWatch(path: string, recursive: boolean, listener: WatchListener = this.#ports.watched): Promise<number> {
    return this.#watches.add(await this.client(), path, recursive, listener);
  }
  async watches(): Promise<readonly ListedWatch[]> {
    return this.#watches.list(await this.client());
  }
  endWatch(id: number, listener?: WatchListener): Promise<boolean> {
    return this.#watches.end(id, listener);
  }
  forgetWatches(path: string, kind: WatchKind): void {
    this.#watches.forget(path, kind);
  }
  /** `isUsers`: it tells the user; any other is a command's, which may be over before it tells. */
  noteWatch(path: string, kind: 'data' | 'children', isUsers: boolean): void {
    this.#watches.note(path, kind, isUsers);
  }
  heard(event: WatchEvent): void {
    this.#watches.heard(event);
  }

  /** `isQuiet`: nobody waits for it, and it is in no hurry. */
  #begin(isQuiet = false): Promise<Client> {
    const { server, options } = this.#target;
    const { interactive } = this.#ports;
    this.#isQuiet = isQuiet;
    this.#refusals = [];
    const refused: Refused = (hosts) => {
      if (this.#pending !== pending) return;
      this.#refusals = hosts;
      this.#isToldOfNone = true;
      this.#onRefused(hosts);
      this.#ports.changed();
    };
    // An expiry may be told before connect() has resolved; listeners compare with the client that became ours.
    let mine: Client | undefined;
    this.#giveUp = new AbortController();
    const how: ConnectOptions = {
      ...options,
      ...(isQuiet && { connectTimeoutMs: QUIETLY_MS }),
      auth: this.#auth,
      signal: this.#giveUp.signal,
      onState: (change) => {
        if (mine === undefined || mine !== this.#client) return;
        noteConnection(mine, change);
        this.#onState(mine, change);
      },
    };
    const pending = this.#ports.connect(server, how, interactive ? refused : undefined).then(
      async (client) => {
        if (this.#pending !== pending) {
          await client.close();
          return this.client(); // the user connected elsewhere meanwhile
        }
        mine = client;
        this.#client = client;
        this.#inUse = client.server;
        if (this.#isToldOfNone) this.#ports.news(`connected to ${client.server}, session ${hex(client.sessionId)}`);
        this.#isToldOfNone = false;
        await this.#watchAgain(client);
        this.#ports.changed();
        return client;
      },
      (error) => {
        if (this.#pending === pending) {
          this.#pending = undefined;
          // whoever waited is told; a prompt goes on looking
          this.#isToldOfNone = interactive && error instanceof ConnectError;
          if (this.#isToldOfNone && !isQuiet) this.#begin(true);
          else if (interactive && isRefused(error)) this.#beginAsNobody();
        }
        this.#ports.changed();
        throw error;
      },
    );
    pending.catch(() => {}); // heard by the command that needs the session
    this.#pending = pending;
    return pending;
  }

  /** The credentials that were said at the start are not taken: who sits at a prompt goes on without them, and is told. */
  #beginAsNobody(): void {
    if (this.#auth.length === 0) return;
    const schemes = [...new Set(this.#auth.map(({ scheme }) => scheme))].join(', ');
    this.#auth = [];
    this.#isAnew = true;
    this.#ports.news(`the credential (${schemes}) was refused; going on without it: addauth presents another`);
    this.#begin();
  }

  #onState(client: Client, change: StateChange): void {
    const { news, now } = this.#ports;
    if (change.state === 'suspended') {
      this.#lostAt = now();
      this.#toldWaiting = false;
      const from = this.#inUse ?? 'the server';
      const isTooLarge = largeReplyIn(change.reason) !== undefined;
      const why = isTooLarge ? 'a reply was larger than --max-reply' : change.reason?.replace(`${from}: `, '');
      const next = this.#hasOthers ? 'looking for another' : 'trying again';
      news(`lost connection to ${from}${why === undefined ? '' : ` (${why})`}, ${next}`);
    } else if (change.state === 'connected' || change.state === 'connectedReadOnly') {
      if (this.#ports.interactive) void this.facts();
      this.#inUse = change.server;
      const after = ((now() - this.#lostAt) / 1000).toFixed(1);
      const kept = change.resumed === true ? 'session kept' : 'a new session';
      const count = this.#watches.list(client).length;
      news(
        `back on ${change.server} after ${after}s, ${kept}${count > 0 ? `, ${plural(count, 'watch', 'watches')} active` : ''}`,
      );
    } else if (change.state === 'expired') {
      this.#drop();
      news('the session expired');
      this.#tellLosses();
      if (this.#ports.interactive) void this.client().catch(() => {});
    }
    this.#ports.changed();
  }

  /** What has gone with a session in whose place another one comes. */
  #tellLosses(): void {
    this.#isAnew = true;
    this.#tellNodes('it');
    const unheard = this.#watches.dropOnce();
    const watches = plural(unheard.length, 'one-time watch', 'one-time watches');
    this.#tellPaths(`gone with it: ${watches}`, unheard);
  }
  /** The user leaves a session, which takes along what it made and all of its watches. */
  #tellLeft(): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#tellNodes('the session before');
    const told = this.#watches.list(client).map(({ path }) => path);
    this.#tellPaths(`gone with the session before: ${plural(told.length, 'watch', 'watches')}`, told);
  }
  #tellNodes(session: string): void {
    const gone = [...this.#ephemerals];
    this.#tellPaths(`gone with ${session}: ${plural(gone.length, 'ephemeral node')}`, gone);
    this.#ephemerals.clear();
  }
  #tellPaths(what: string, paths: readonly string[]): void {
    if (paths.length === 0) return;
    this.#ports.news(`${what} (${paths.slice(0, 5).join(' ')}${paths.length > 5 ? ' ...' : ''})`);
  }

  async #watchAgain(client: Client): Promise<void> {
    const isAnew = this.#isAnew;
    this.#isAnew = false;
    const begun = (): string => `new session ${hex(client.sessionId)}`;
    if (this.#watches.size === 0) {
      if (isAnew) this.#ports.news(begun());
      return;
    }
    // a session is of use without its watches: what cannot be set is told, and fails nothing else
    await this.#watches.again(client);
    const count = plural(this.#watches.size, 'watch', 'watches');
    this.#ports.news(`${begun()}; set again: ${count}. Changes in between are unknown`);
  }

  #drop(): void {
    this.#client = undefined;
    this.#pending = undefined;
  }
  #giveUpPending(): void {
    this.#isQuiet = false;
    this.#pending = undefined;
    this.#giveUp.abort(new DOMException('the shell left', 'AbortError'));
  }

  /** Resolves when it has ended, and all before it. */
  #end(): Promise<void> {
    this.#leave();
    this.#ephemerals.clear();
    this.#watches.clear();
    return this.#ended;
  }
  #leave(): void {
    this.#isAnew = false;
    const pending = this.#pending;
    if (this.#client === undefined) this.#giveUpPending();
    this.#drop();
    const mine = pending?.then((client) => client.close()).catch(() => {});
    this.#ended = Promise.all([this.#ended, mine]).then(() => {});
  }
  #ended = Promise.resolve();
}

const isRefused = (error: unknown): boolean => error instanceof KeeperError && error.code === 'AuthFailed';
const isOver = (state: ClientState): boolean => state === 'expired' || state === 'closed' || state === 'authFailed';
