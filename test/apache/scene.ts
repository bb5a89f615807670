/** A small tree with one of everything that a data directory can hold, made through a client in named parts. */
import assert from 'node:assert/strict';
import { type Client, connect, KeeperError } from '../../src/index.ts';

const CONNECT = { connectTimeoutMs: 60_000, timeoutMs: 30_000 };
const READ_ALL = [{ perms: 1, scheme: 'world', id: 'anyone' }];
const LIMITED = [
  { perms: 31, scheme: 'digest', id: 'bob:fyVmFCwVbTJYrznoSu1koqYEYF0=' },
  { perms: 5, scheme: 'ip', id: '10.0.0.0/8' },
  { perms: 1, scheme: 'world', id: 'anyone' },
];

async function quota(zk: Client, path: string, limits: string): Promise<void> {
  const top = `/zookeeper/quota${path}`;
  for (let at = top.indexOf('/', 17); at >= 0; at = top.indexOf('/', at + 1)) {
    const above = top.slice(0, at);
    if (above !== '/zookeeper/quota' && (await zk.exists(above)) === undefined) await zk.create(above, '');
  }
  await zk.create(top, '');
  await zk.create(`${top}/zookeeper_limits`, limits);
  await zk.create(`${top}/zookeeper_stats`, 'count=0,bytes=0');
}

/** Nodes of every kind, sessions that end and such that stay; two clients are left open for the caller. */
export async function firstPart(hosts: string): Promise<Client[]> {
  const zk = await connect(hosts, CONNECT);
  const other = await connect(hosts, CONNECT);
  const ending = await connect(hosts, CONNECT);
  await zk.create('/app', 'v0');
  await zk.create('/app/null', null);
  await zk.create('/app/empty', '');
  await zk.create('/app/gr\u00fc\u00dfe-\u65e5\u672c', 'umlaut \u00e4');
  await zk.create('/app/binary', Buffer.from(Array.from({ length: 300 }, (_, i) => i & 255)));
  await zk.create('/app/locked', 'secret', { acl: LIMITED });
  await zk.create('/app/read', 'only', { acl: READ_ALL });
  await zk.create('/app/acl', 'x');
  await zk.setAcl('/app/acl', LIMITED);
  await zk.setAcl('/app/acl', READ_ALL).catch(() => {}); // not permitted: an error in the log
  for (let i = 0; i < 4; i++) await zk.create('/app/s-', `${i}`, { mode: 'persistentSequential' });
  await zk.delete('/app/s-0000000003').catch(() => {});
  for (let i = 0; i < 3; i++) await zk.set('/app', `v${i + 1}`);
  await zk.create('/container', 'c', { mode: 'container' });
  await zk.create('/container/child', 'x');
  await zk.create('/ttl', 't', { mode: 'ttl', ttlMs: 86_400_000 });
  await zk.create('/ttl/seq-', 't', { mode: 'ttlSequential', ttlMs: 3_600_000 });
  await quota(zk, '/limited', 'count=10,bytes=1000');
  await zk.create('/limited', 'four');
  await zk.create('/limited/a', 'aaaa');
  await zk.create('/limited/b', 'bb');
  await zk.delete('/limited/b');
  await quota(zk, '/deep/down', 'count=-1,bytes=-1=;byteHardLimit=100000;countHardLimit=50');
  await zk.create('/live', '');
  await other.create('/live/one', 'e1', { mode: 'ephemeral' });
  await other.create('/live/two-', 'e2', { mode: 'ephemeralSequential' });
  await zk.create('/live/mine', 'e3', { mode: 'ephemeral' });
  await zk.create('/live/stays', 'p');
  await ending.create('/live/ends', 'e4', { mode: 'ephemeral' });
  await ending.create('/live/ends-too', 'e5', { mode: 'ephemeral', acl: READ_ALL });
  await ending.close();
  await zk.transaction().create('/multi', 'm').create('/multi/a', '1').set('/multi', 'm2').check('/app', 3).commit();
  await zk
    .transaction()
    .create('/multi/c', 'c', { mode: 'container' })
    .create('/multi/t', 't', { mode: 'ttl', ttlMs: 7_200_000 })
    .delete('/multi/a')
    .create('/multi/e', 'e', { mode: 'ephemeral' })
    .commit();
  await assert.rejects(zk.transaction().set('/multi', 'lost').delete('/none').create('/multi/lost').commit());
  await assert.rejects(zk.create('/app', 'again'), KeeperError);
  await zk.create('/gone', 'g');
  await zk.create('/gone/child', 'g');
  await zk.delete('/gone/child');
  await zk.delete('/gone');
  return [zk, other];
}

/** What comes after a restart: `round` tells one from the next. */
export async function laterPart(hosts: string, round: number): Promise<Client> {
  const zk = await connect(hosts, CONNECT);
  await zk.create(`/round${round}`, `r${round}`);
  await zk.set('/app', `round ${round}`);
  await zk.create('/app/s-', 'later', { mode: 'persistentSequential' });
  await zk.create('/limited/r-', 'rr', { mode: 'persistentSequential' });
  await zk.create(`/live/again${round}`, 'e', { mode: 'ephemeral' });
  await zk.setAcl(`/round${round}`, READ_ALL);
  await assert.rejects(zk.delete('/nothing'));
  return zk;
}
