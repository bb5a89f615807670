import { PERM } from '../protocol/data.ts';
import { EVENT } from '../protocol/events.ts';
import { OPERATIONS } from '../protocol/operations.ts';
import type { AclList } from '../records/txns.ts';
import type { ChangeSink } from '../tree/apply.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { isAllowed } from './acl.ts';
import type { ClientConnection } from './connection.ts';
import type { Outbox } from './outbox.ts';
import { event } from './reply.ts';
import type { WatchManager } from './watches.ts';

/** What each change tells whom: the sink of everything that is applied. Takes the Stats of a multi's parts on the way. */
export class Events implements ChangeSink {
  /** Stats of a multi's parts, each as it was when that part was applied; undefined when nobody asks. */
  captured: Buffer[] | undefined;
  /** zxid of the transaction being applied. */
  hi = 0;
  lo = 0;
  private readonly tree: DataTree;
  private readonly watches: WatchManager;
  private readonly outbox: Outbox;

  constructor(tree: DataTree, watches: WatchManager, outbox: Outbox) {
    this.tree = tree;
    this.watches = watches;
    this.outbox = outbox;
  }
  created(path: string, row: number, parentPath: string, parent: number): void {
    if (this.captured !== undefined) this.capture(row);
    if (this.watches.size === 0) return;
    this.fire(path, EVENT.NodeCreated, this.tree.acl(row));
    this.fireChild(parentPath, EVENT.NodeChildrenChanged, this.tree.acl(parent));
  }
  changed(path: string, row: number): void {
    if (this.captured !== undefined) this.capture(row);
    if (this.watches.size > 0) this.fire(path, EVENT.NodeDataChanged, this.tree.acl(row));
  }
  deleted(path: string, acl: AclList, parentPath: string, parent: number): void {
    if (this.watches.size === 0) return;
    const told = this.fire(path, EVENT.NodeDeleted, acl);
    this.fireChild(path, EVENT.NodeDeleted, acl, told);
    this.fireChild(parentPath, EVENT.NodeChildrenChanged, this.tree.acl(parent));
  }
  private capture(row: number): void {
    const stat = Buffer.allocUnsafe(68); // a piece of a pool; all of it is written
    this.tree.writeStat(row, stat, 0);
    this.captured?.push(stat);
  }
  private fire(path: string, type: number, acl: AclList): Set<ClientConnection> {
    const told = new Set<ClientConnection>();
    this.watches.triggerData(path, (connection) => {
      told.add(connection);
      this.tell(connection, type, path, acl);
    });
    return told;
  }
  private fireChild(path: string, type: number, acl: AclList, except?: ReadonlySet<ClientConnection>): void {
    this.watches.triggerChild(path, (connection) => this.tell(connection, type, path, acl), except);
  }
  private tell(connection: ClientConnection, type: number, path: string, acl: AclList): void {
    if (connection.state !== 'open' || !isAllowed(acl, PERM.read, connection.identities)) return;
    // a client that has asked nothing since its setWatches is still catching up; its events name no zxid
    const { lastOp } = connection.stats;
    const catchingUp = lastOp === OPERATIONS.setWatches.code || lastOp === OPERATIONS.setWatches2.code;
    event(this.outbox.to(connection), type, path, catchingUp ? -1 : this.hi, catchingUp ? -1 : this.lo);
    this.outbox.sent(connection);
  }
}
