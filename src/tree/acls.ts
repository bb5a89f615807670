import { type AclList, OPEN_ACL } from '../records/txns.ts';

/** ACL lists by number, each kept once; number 0 is the open list and is never released. */
export class AclTable {
  private readonly lists: (AclList | undefined)[] = [OPEN_ACL];
  private readonly counts: number[] = [1];
  private readonly byKey = new Map<string, number>();
  private readonly vacant: number[] = [];
  private static key(acl: AclList): string {
    return JSON.stringify(acl.map((entry) => [entry.perms, entry.scheme, entry.id]));
  }
  /** Counts one more user of the list. */
  intern(acl: AclList): number {
    if (acl === OPEN_ACL) return 0;
    const key = AclTable.key(acl);
    const known = this.byKey.get(key);
    if (known !== undefined) {
      (this.counts[known] as number)++;
      return known;
    }
    const id = this.vacant.pop() ?? this.lists.length;
    this.lists[id] = acl;
    this.counts[id] = 1;
    this.byKey.set(key, id);
    return id;
  }
  release(id: number): void {
    if (id === 0 || --(this.counts[id] as number) > 0) return;
    this.byKey.delete(AclTable.key(this.lists[id] as AclList));
    this.lists[id] = undefined;
    this.vacant.push(id);
  }
  list(id: number): AclList {
    return this.lists[id] as AclList;
  }
}
