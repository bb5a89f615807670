import { Spread } from '../base/spread.ts';
import { PERM } from '../protocol/data.ts';
import { EVENT } from '../protocol/events.ts';
import { OPERATIONS } from '../protocol/operations.ts';
import type { AclList } from '../records/txns.ts';
import type { ChangeSink } from '../tree/apply.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { isAllowed } from './acl.ts';
import type { Auditor } from './audit.ts';
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
  /** The session whose ephemerals go, while they do. */
  closing: bigint | undefined;
  /** How many watches each change fired, of changes that fired any. */
  readonly fired = { created: new Spread(), deleted: new Spread(), changed: new Spread(), children: new Spread() };
  private readonly tree: DataTree;
  private readonly watches: WatchManager;
  private readonly outbox: Outbox;
  private readonly auditor: Auditor | undefined;

  constructor(tree: DataTree, watches: WatchManager, outbox: Outbox, auditor?: Auditor) {
    this.tree = tree;
    this.watches = watches;
    this.outbox = outbox;
    this.auditor = auditor;
  }
  created(path: string, row: number, parentPath: string, parent: number): void {
    if (this.captured !== undefined) this.capture(row);
    if (this.watches.size === 0) return;
    this.count(this.fired.created, this.fire(path, EVENT.NodeCreated, this.tree.acl(row)).size);
    this.fireChild(parentPath, EVENT.NodeChildrenChanged, this.tree.acl(parent));
  }
  changed(path: string, row: number): void {
    if (this.captured !== undefined) this.capture(row);
    if (this.watches.size > 0)
      this.count(this.fired.changed, this.fire(path, EVENT.NodeDataChanged, this.tree.acl(row)).size);
  }
  deleted(path: string, acl: AclList, parentPath: string, parent: number): void {
    if (this.closing !== undefined) this.auditor?.ephemeral(this.closing, path);
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
    let count = 0;
    this.watches.triggerChild(
      path,
      (connection) => {
        count++;
        this.tell(connection, type, path, acl);
      },
      except,
    );
    if (type === EVENT.NodeChildrenChanged) this.count(this.fired.children, count);
    else this.count(this.fired.deleted, count + (except?.size ?? 0));
  }
  private count(spread: Spread, watches: number): void {
    if (watches > 0) spread.add(watches);
  }
  private tell(connection: ClientConnection, type: number, path: string, acl: AclList): void {
    if (connection.state !== 'open' || !isAllowed(acl, PERM.read, connection.identities)) return;
    // a client that has asked nothing since its setWatches is still catching up; its events name no zxid
    const { lastOp } = connection.stats;
    const catchingUp = lastOp === OPERATIONS.setWatches.code || lastOp === OPERATIONS.setWatches2.code;
    const to = this.outbox.to(connection);
    const { at } = to;
    event(to, type, path, catchingUp ? -1 : this.hi, catchingUp ? -1 : this.lo);
    this.outbox.eventBytes += to.at - at;
    this.outbox.sent(connection);
  }
}
