/** What a {@link Bag} keeps of its own in each member: its place, -1 while it is in none. */
export interface Placed {
  place: number;
}

/**
 * A set that many come into and leave, few at a time: whoever is in it knows his place, and the last one moves to where he was.
 * A Set would do, but that V8 lets each of its tables that is full of gaps point to the one after it, with all that it held by
 * then: once one is old, what came and went in the younger ones is no young garbage any more, and is copied again and again.
 * The order is not that of coming.
 */
export class Bag<T extends Placed> {
  private readonly members: T[] = [];
  get size(): number {
    return this.members.length;
  }
  add(member: T): void {
    if (member.place >= 0) return;
    member.place = this.members.length;
    this.members.push(member);
  }
  delete(member: T): void {
    const { members } = this;
    const { place } = member;
    if (place < 0) return;
    const last = members.pop() as T;
    if (last !== member) {
      members[place] = last;
      last.place = place;
    }
    member.place = -1;
  }
  /** Those who are in it when the walk begins. */
  [Symbol.iterator](): Iterator<T> {
    return [...this.members].values();
  }
}
