import type { Random } from '../base/random.ts';
import { realClock } from '../platform/clock.ts';
import { tcpDialer } from '../platform/tcp.ts';
import type { Clock } from '../ports/clock.ts';
import type { Dialer } from '../ports/network.ts';
import { DEFAULT_MAX_FRAME } from '../protocol/frame.ts';
import {
  type Client,
  ConnectError,
  type ConnectOptions,
  type HostFailure,
  RequestError,
  type WatchListener,
} from './api.ts';
import { checkCredential } from './arguments.ts';
import { KeeperClient, stripper } from './client.ts';
import { parseConnectString, type Server, showServer } from './connect-string.ts';
import { Driver } from './driver.ts';
import { type FourLetterOptions, fourLetter } from './four-letter.ts';
import { isSasl, loginFault } from './login.ts';
import { NOT_SERVING, Session } from './session.ts';
import { shared } from './shared-signal.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_CONNECT_MS = 10_000;
const DEFAULT_MAX_REPLY = 64 * 1024 * 1024;
const MAX_TIMEOUT_MS = 0x7fff_ffff;
const TLS_HINT_MS = 500;

/** What a client needs of the world; the real one unless a test hands in another. */
export interface ClientPorts {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly random: Random;
}

/** Spreads load and waits; nothing here has to be unguessable. */
const ordinaryRandom: Random = {
  below: (bound) => Math.floor(Math.random() * bound),
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
};

const REAL: ClientPorts = { clock: realClock, dialer: tcpDialer, random: ordinaryRandom };

/** A TLS server says nothing to one who speaks plainly, so hosts that answered without serving are asked once more. */
function withTlsHint(
  failures: readonly HostFailure[],
  servers: readonly Server[],
  dialer: Dialer,
): Promise<HostFailure[]> {
  const hint = async (failure: HostFailure): Promise<HostFailure> => {
    const server = servers.find((each) => showServer(each) === failure.host);
    if (failure.reason !== NOT_SERVING || server === undefined) return failure;
    return (await speaksTls(server, dialer)) ? { ...failure, reason: 'TLS required' } : failure;
  };
  return Promise.all(failures.map(hint));
}

async function speaksTls(server: Server, dialer: Dialer): Promise<boolean> {
  const target = { ...server, timeoutMs: TLS_HINT_MS, tls: { insecure: true } };
  try {
    const connection = await dialer.dial(target, { data() {}, closed() {} });
    connection.destroy();
    return true;
  } catch (error) {
    return /ALERT/.test((error as { code?: string }).code ?? ''); // it wants more of us than we brought, but it is TLS
  }
}

function duration(name: string, given: number | undefined, otherwise: number): number {
  const ms = given ?? otherwise;
  if (!(ms > 0 && ms <= MAX_TIMEOUT_MS)) throw new RangeError(`${name}: ${ms} is not from 1 to ${MAX_TIMEOUT_MS} ms`);
  return Math.ceil(ms);
}

/** Sends a four-letter word over the real network; see {@link fourLetter}. */
export const fourLetterWord = (word: string, options: FourLetterOptions): Promise<string> =>
  fourLetter(tcpDialer, word, options);

/**
 * Opens a session with one of the servers in `connectString` (`host:port,...[/chroot]`). Resolves when it stands and the
 * credentials given are accepted (`lazy`: at once).
 * @throws ConnectStringError, ConnectError (with a reason per host), KeeperError AuthFailed, or the signal's reason
 */
export async function connect(
  connectString: string,
  options: ConnectOptions = {},
  ports: ClientPorts = REAL,
): Promise<Client> {
  const { servers, chroot } = parseConnectString(connectString);
  const { signal } = options;
  signal?.throwIfAborted();
  const connectMs = duration('connectTimeoutMs', options.connectTimeoutMs, DEFAULT_CONNECT_MS);
  const auth = (options.auth ?? []).map((credential) => ({ ...credential }));
  let hasSasl = false;
  for (const credential of auth) {
    checkCredential(credential);
    const fault = loginFault(credential, hasSasl);
    if (fault !== undefined) throw new RequestError('invalid', fault, undefined);
    hasSasl ||= isSasl(credential);
  }
  const session = new Session<WatchListener>({
    servers,
    random: ports.random,
    timeoutMs: duration('timeoutMs', options.timeoutMs, DEFAULT_TIMEOUT_MS),
    connectTimeoutMs: connectMs,
    allowReadOnly: options.allowReadOnly ?? false,
    maxReplyBytes: options.maxReplyBytes ?? DEFAULT_MAX_REPLY,
    maxRequestBytes: options.maxRequestBytes ?? DEFAULT_MAX_FRAME,
    auth,
  });
  const driver = new Driver(session, {
    clock: ports.clock,
    dialer: ports.dialer,
    tls: options.tls,
    strip: stripper(chroot),
  });
  if (options.onState !== undefined) driver.stateListeners.add(options.onState);
  const client = new KeeperClient(driver, chroot, ports);
  if (options.lazy === true) {
    driver.start();
    return client;
  }
  const accepted = Promise.all(auth.map((credential) => driver.authDone(credential)));
  accepted.catch(() => {}); // heard below, unless something else fails first
  let timer: Disposable | undefined;
  let abort: (() => void) | undefined;
  let off: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      off = client.on('state', ({ state }) => {
        if (state === 'connected' || state === 'connectedReadOnly') accepted.then(() => resolve(), reject);
      });
      abort = () => reject(signal?.reason);
      if (signal !== undefined) shared(signal).addEventListener('abort', abort, { once: true });
      timer = ports.clock.after(connectMs, () => {
        const { failures } = session;
        driver.close();
        const told = options.tls === undefined ? withTlsHint(failures, servers, ports.dialer) : failures;
        Promise.resolve(told).then((hosts) => reject(new ConnectError(hosts, connectMs)), reject);
      });
      driver.start();
    });
    return client;
  } catch (error) {
    driver.close();
    throw error;
  } finally {
    timer?.[Symbol.dispose]();
    off?.();
    if (abort !== undefined) signal?.removeEventListener('abort', abort);
  }
}
