/** All nodes of a server as a client sees them. */
import type { Client } from '../../src/index.ts';

/** One node, as JSON can hold it: ids are hexadecimal texts, data is base64 or null. */
export interface DumpedNode {
  readonly path: string;
  readonly data: string | null;
  readonly acl: readonly string[];
  /** czxid mzxid pzxid ctime mtime version cversion aversion ephemeralOwner dataLength numChildren */
  readonly stat: string;
}
const WIDTH = 2000;
const hex = (id: bigint): string => BigInt.asUintN(64, id).toString(16);

/** Every node below and at `top`, by path. A node whose ACL forbids it is read by who may do everything: `zk` must be. */
export async function dump(zk: Client, top = '/'): Promise<DumpedNode[]> {
  const found: DumpedNode[] = [];
  const ahead = [top];
  const take = async (path: string): Promise<void> => {
    const [{ data, stat }, { acl }] = await Promise.all([zk.get(path), zk.getAcl(path)]);
    const children = stat.numChildren === 0 ? [] : (await zk.getChildren(path)).children;
    const ids = [stat.czxid, stat.mzxid, stat.pzxid].map(hex);
    const { ctime, mtime, version, cversion, aversion, ephemeralOwner, dataLength, numChildren } = stat;
    const rest = [ctime, mtime, version, cversion, aversion, hex(ephemeralOwner), dataLength, numChildren];
    found.push({
      path,
      data: data === null ? null : data.toString('base64'),
      acl: acl.map(({ perms, scheme, id }) => `${scheme}:${id}:${perms}`),
      stat: [...ids, ...rest].join(' '),
    });
    for (const name of children) ahead.push(path === '/' ? `/${name}` : `${path}/${name}`);
  };
  while (ahead.length > 0) await Promise.all(ahead.splice(0, WIDTH).map(take));
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
