/** What somebody who watches is told of a node whose ACL does not let him read it any more. */
import type { RequestOf } from '../../../src/protocol/operations.ts';
import { ALICE, type Id, make, need, openAs, openWith } from './matrix.ts';
import type { Line, Wire } from './wire.ts';

const EVENTS = ['', 'created', 'deleted', 'changed', 'children'];
const KINDS: Readonly<Record<string, (line: Line, path: string) => Promise<unknown>>> = {
  'by getData': (line, path) => line.ask('getData', { path, watch: true }),
  'by exists': (line, path) => line.ask('exists', { path, watch: true }),
  'by getChildren': (line, path) => line.ask('getChildren', { path, watch: true }),
  persistent: (line, path) => line.ask('addWatch', { path, mode: 0 }),
  recursive: (line, path) => line.ask('addWatch', { path, mode: 1 }),
};
const PERMS = [31, 30, 1, 0];
/** Who watches, by what he has proved, and whom the ACLs name beside the owner. */
export interface Watching {
  readonly proofs: readonly string[];
  readonly id: Id;
  /** Below which nodes are made. */
  readonly root: string;
}
const NOBODY = { proofs: [], id: { scheme: 'world', id: 'anyone' } };
const aclFor =
  (id: Id) =>
  (perms: number): RequestOf<'create'>['acl'] => [
    { perms, id },
    { perms: 31, id: { scheme: 'digest', id: ALICE } },
  ];
type AclOf = ReturnType<typeof aclFor>;

async function told(line: Line, root: string): Promise<string> {
  // what was applied before this was told before its answer
  await need(line.ask('sync', { path: '/' }));
  return line.events
    .splice(0)
    .map(({ type, path }) => `${EVENTS[type]} ${path?.slice(root.length) || '.'}`)
    .join(', ');
}

/** Everything that can happen to a node and below it, by its owner. */
async function change(owner: Line, path: string, aclOf: AclOf): Promise<void> {
  const set = (at: string) => need(owner.ask('setData', { path: at, data: Buffer.from('x'), version: -1 }));
  const remove = (at: string) => need(owner.ask('delete', { path: at, version: -1 }));
  await set(path);
  await need(make(owner, `${path}/open`));
  await need(make(owner, `${path}/hidden`, '', aclOf(0)));
  await set(`${path}/hidden`);
  await remove(`${path}/hidden`);
  await remove(`${path}/open`);
  await remove(path);
  await need(make(owner, path, '', aclOf(0)));
  await remove(path);
}

/** Watches set while all was open; then the ACL changes, and everything else. */
export async function direct(
  wire: Wire,
  { proofs, id, root }: Watching = { ...NOBODY, root: '/w' },
): Promise<string[]> {
  const aclOf = aclFor(id);
  const owner = await openAs(wire, 'alice');
  await need(make(owner, root));
  const lines: string[] = [];
  for (const [kind, watch] of Object.entries(KINDS))
    for (const perms of PERMS) {
      const path = `${root}/${lines.length}`;
      await need(make(owner, path));
      const line = await openWith(wire, proofs);
      await watch(line, path);
      await need(owner.ask('setAcl', { path, acl: aclOf(perms), version: -1 }));
      await change(owner, path, aclOf);
      lines.push(`a watch ${kind}, ACL ${perms}: ${(await told(line, path)) || 'nothing'}`);
    }
  return lines;
}

/** A client that was away, and sets its watches again: what is told at once, and what later. */
export async function catchUp(
  wire: Wire,
  { proofs, id, root }: Watching = { ...NOBODY, root: '/c' },
): Promise<string[]> {
  const aclOf = aclFor(id);
  const owner = await openAs(wire, 'alice');
  await need(make(owner, root));
  const lines: string[] = [];
  for (const wide of [false, true])
    for (const perms of PERMS) {
      const path = `${root}/${lines.length}`;
      const { zxid } = await need(make(owner, path));
      for (const each of ['data', 'child', 'made', 'gone', 'quiet', 'stay', 'deep'])
        await need(make(owner, `${path}/${each}`));
      const relativeZxid = (await need(make(owner, `${path}/mark`))).zxid as RequestOf<'setWatches'>['relativeZxid'];
      for (const each of ['data', 'quiet', 'child', 'stay', 'deep'])
        await need(owner.ask('setAcl', { path: `${path}/${each}`, acl: aclOf(perms), version: -1 }));
      await need(owner.ask('setData', { path: `${path}/data`, data: Buffer.from('x'), version: -1 }));
      await need(make(owner, `${path}/child/kid`));
      await need(owner.ask('delete', { path: `${path}/gone`, version: -1 }));
      await need(make(owner, `${path}/new`, '', aclOf(perms)));
      const line = await openWith(wire, proofs);
      const request = {
        relativeZxid,
        dataWatches: [`${path}/data`, `${path}/gone`, `${path}/quiet`],
        existWatches: [`${path}/new`, `${path}/never`],
        childWatches: [`${path}/child`],
      };
      const persistent = { persistentWatches: [`${path}/stay`], persistentRecursiveWatches: [`${path}/deep`] };
      await need(wide ? line.ask('setWatches2', { ...request, ...persistent }) : line.ask('setWatches', request));
      const atOnce = await told(line, path);
      for (const each of ['quiet', 'stay', 'deep'])
        await need(owner.ask('setData', { path: `${path}/${each}`, data: Buffer.from('y'), version: -1 }));
      await need(make(owner, `${path}/stay/kid`));
      await need(make(owner, `${path}/deep/open`));
      await need(make(owner, `${path}/deep/hidden`, '', aclOf(0)));
      await need(make(owner, `${path}/never`, '', aclOf(perms)));
      const later = await told(line, path);
      if (zxid <= 0n) throw new Error('a create has a zxid');
      lines.push(`setWatches${wide ? '2' : ''}, ACL ${perms}: ${atOnce || 'nothing'}; then ${later || 'nothing'}`);
    }
  return lines;
}
