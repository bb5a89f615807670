import { secretOf } from '../base/secret.ts';
import { apart } from '../platform/apart.ts';
import type { ClientTls } from '../server/config-client-tls.ts';
import type { PemStore, QuorumStores, StoreName } from '../server/config-tls.ts';
import type { ClientKeys } from './client-keys.ts';
import type { PeerKeys } from './peer-keys.ts';

/** Which files are to be read, and for whom; `now` is ms since 1970. Passwords stand beside: a Secret reaches no thread. */
export type KeyJob = { readonly passwords: Passwords; readonly now: number } & (
  | { readonly whose: 'clients'; readonly tls: ClientTls }
  | { readonly whose: 'members'; readonly tls: QuorumStores; readonly hosts: readonly string[] }
);
interface Stores {
  readonly keyStore: PemStore;
  readonly trustStore: PemStore | undefined;
}
type Passwords = Readonly<Record<StoreName, string | undefined>>;
const passwordsOf = ({ keyStore, trustStore }: Stores): Passwords => ({
  keyStore: keyStore.password?.reveal(),
  trustStore: trustStore?.password?.reveal(),
});
/** Stores that have these passwords; undefined: none. */
export function opened<T extends Stores>(tls: T, passwords: Partial<Passwords>): T {
  const { keyStore, trustStore } = tls;
  const given = (store: PemStore): PemStore => ({ ...store, password: secretOf(passwords[store.name]) });
  return { ...tls, keyStore: given(keyStore), trustStore: trustStore && given(trustStore) };
}
/** What was read, or the sentence about what is wrong with a file. */
export type KeyJobDone = { readonly read: ClientKeys | PeerKeys } | { readonly failed: string };

/** Whoever needs longer is given up, ms: a store that asks for more than that is refused before. */
const MOST_MS = 120_000;

async function read(job: KeyJob): Promise<ClientKeys | PeerKeys> {
  // beside this file, in the bundle, too
  const done = await apart<KeyJobDone>(new URL('./key-job.js', import.meta.url), job, MOST_MS);
  if ('failed' in done) throw new Error(done.failed);
  return done.read;
}

/** As `readClientKeys`, in a thread of its own. Rejects with an Error that says which file is of no use, and why. */
export const clientKeysApart = async (tls: ClientTls, now: number): Promise<ClientKeys> =>
  (await read({ whose: 'clients', tls: opened(tls, {}), passwords: passwordsOf(tls), now })) as ClientKeys;
/** As `readPeerKeys`, in a thread of its own. Rejects with an Error that says which file is of no use, and why. */
export const peerKeysApart = async (tls: QuorumStores, hosts: readonly string[], now: number): Promise<PeerKeys> =>
  (await read({ whose: 'members', tls: opened(tls, {}), passwords: passwordsOf(tls), hosts, now })) as PeerKeys;
