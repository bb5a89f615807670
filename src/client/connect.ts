import type { Random } from '../base/random.ts';
import { realClock } from '../platform/clock.ts';
import { tcpDialer } from '../platform/tcp.ts';
import type { Clock } from '../ports/clock.ts';
import type { Dialer } from '../ports/network.ts';
import { type Client, ConnectError, type ConnectOptions, type WatchListener } from './api.ts';
import { KeeperClient, stripper } from './client.ts';
import { parseConnectString } from './connect-string.ts';
import { Driver } from './driver.ts';
import { Session } from './session.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_CONNECT_MS = 10_000;
const DEFAULT_MAX_REPLY = 64 * 1024 * 1024;

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
  const auth = (options.auth ?? []).map((credential) => ({ ...credential }));
  const session = new Session<WatchListener>({
    servers,
    random: ports.random,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    allowReadOnly: options.allowReadOnly ?? false,
    maxReplyBytes: options.maxReplyBytes ?? DEFAULT_MAX_REPLY,
    auth,
  });
  const driver = new Driver(session, {
    clock: ports.clock,
    dialer: ports.dialer,
    tls: options.tls,
    strip: stripper(chroot),
  });
  if (options.onState !== undefined) driver.stateListeners.add(options.onState);
  const client = new KeeperClient(driver, chroot);
  if (options.lazy === true) {
    driver.start();
    return client;
  }
  const accepted = Promise.all(auth.map((credential) => driver.authDone(credential)));
  accepted.catch(() => {}); // heard below, unless something else fails first
  const connectMs = options.connectTimeoutMs ?? DEFAULT_CONNECT_MS;
  let timer: Disposable | undefined;
  let abort: (() => void) | undefined;
  let off: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      off = client.on('state', ({ state }) => {
        if (state === 'connected' || state === 'connectedReadOnly') accepted.then(() => resolve(), reject);
      });
      abort = () => reject(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      timer = ports.clock.after(connectMs, () => reject(new ConnectError(driver.failures(), connectMs)));
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
