import { assert } from '../base/assert.ts';

const PAGE = 65536;
const SLOT_BITS = 12; // a page has at most 4096 slots of 16 bytes
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const NONE = -1;
/** Above this a value has a buffer of its own. */
const LARGEST_SLOT = 16384;
/** A ref has no more bits: 32 GiB of small strings, 8 of larger ones at least. */
const MOST_PAGES = 1 << (31 - SLOT_BITS);
/** What may be under way when the last pages are told of. */
const SPARE_PAGES = 16_384;
/** With more of them in use what would need another one is refused. */
export const MOST_TAKEN = MOST_PAGES - SPARE_PAGES;
const OWN_CLASS = 255;

/** Slot sizes at steps of an eighth or less, multiples of 8: what is wasted inside a slot stays near 6 % on average. */
const SIZES: readonly number[] = (() => {
  const sizes: number[] = [];
  for (let size = 16; size < LARGEST_SLOT; size = Math.max(size + 8, Math.floor((size * 1.125) / 8) * 8))
    sizes.push(size);
  return [...sizes, LARGEST_SLOT];
})();
/** Class by (length + 7) >> 3. */
const CLASS_OF = new Uint8Array(LARGEST_SLOT / 8 + 1);
for (let eighths = 0, cls = 0; eighths < CLASS_OF.length; eighths++) {
  while ((SIZES[cls] as number) < eighths * 8) cls++;
  CLASS_OF[eighths] = cls;
}
const slotsOf = (size: number): number => Math.floor(PAGE / size);

/**
 * Byte strings of all sizes in pages of our own. A freed slot is used again by the next string of its size class. A page
 * that is nearly empty takes no more strings; once those left are moved or gone it is given back. A ref is one 32-bit integer.
 */
export class Slabs {
  private readonly pages: (Buffer | undefined)[] = [];
  private readonly cls: number[] = [];
  private readonly used: number[] = [];
  /** First free slot of a page; free slots hold the number of the next one in their first two bytes. */
  private readonly free: number[] = [];
  /** Slots never handed out yet start here, so that a new page needs no chain written through it. */
  private readonly fresh: number[] = [];
  /** Pages of a class with room, doubly linked. */
  private readonly next: number[] = [];
  private readonly prev: number[] = [];
  /** Pages being emptied: nothing is placed there, and what is left is moved by {@link DataTree.tidy}. */
  private readonly retired: boolean[] = [];
  retiredCount = 0;
  /** By class: pages not retired, and strings in all pages. */
  private readonly pagesOf = new Int32Array(SIZES.length);
  private readonly usedOf = new Int32Array(SIZES.length);
  private readonly heads = new Int32Array(SIZES.length).fill(NONE);
  private readonly vacant: number[] = [];
  /** Bytes of pages held. */
  bytes = 0;

  /** Pages in use. */
  get size(): number {
    return this.pages.length - this.vacant.length;
  }
  /** No more should be asked for: a place that is not there ends every member that applies the same. */
  get isNearlyFull(): boolean {
    return this.size > MOST_TAKEN;
  }
  /** Finds a place for `length` bytes; what is there is old rubbish. */
  allocate(length: number): number {
    if (length > LARGEST_SLOT) {
      const page = this.newPage(Buffer.alloc(length), OWN_CLASS);
      this.used[page] = 1;
      return page << SLOT_BITS;
    }
    const cls = CLASS_OF[(length + 7) >> 3] as number;
    let page = this.heads[cls] as number;
    if (page === NONE) {
      page = this.newPage(Buffer.alloc(PAGE), cls);
      this.link(page, cls);
    }
    const size = SIZES[cls] as number;
    let slot = this.free[page] as number;
    if (slot !== NONE) {
      const at = slot * size;
      const buf = this.pages[page] as Buffer;
      const after = ((buf[at] as number) << 8) | (buf[at + 1] as number);
      this.free[page] = after === 0xffff ? NONE : after;
    } else {
      slot = this.fresh[page] as number;
      this.fresh[page] = slot + 1;
    }
    const used = (this.used[page] as number) + 1;
    this.used[page] = used;
    this.usedOf[cls] = (this.usedOf[cls] as number) + 1;
    if (used === slotsOf(size)) this.unlink(page, cls);
    return (page << SLOT_BITS) | slot;
  }
  release(ref: number): void {
    const page = ref >>> SLOT_BITS;
    const cls = this.cls[page] as number;
    if (cls === OWN_CLASS) {
      this.dropPage(page);
      return;
    }
    const size = SIZES[cls] as number;
    const slot = ref & SLOT_MASK;
    const buf = this.pages[page] as Buffer;
    const at = slot * size;
    const head = this.free[page] as number;
    buf[at] = head === NONE ? 0xff : head >> 8;
    buf[at + 1] = head === NONE ? 0xff : head & 0xff;
    this.free[page] = slot;
    const wasFull = this.used[page] === slotsOf(size);
    const used = (this.used[page] as number) - 1;
    this.used[page] = used;
    this.usedOf[cls] = (this.usedOf[cls] as number) - 1;
    if (this.retired[page] === true) {
      if (used > 0) return;
      this.retired[page] = false;
      this.retiredCount--;
      this.dropPage(page);
    } else if (wasFull) this.link(page, cls);
    else if (used === 0 && (this.next[page] !== NONE || this.prev[page] !== NONE)) {
      this.unlink(page, cls);
      this.pagesOf[cls] = (this.pagesOf[cls] as number) - 1;
      this.dropPage(page);
    } else if (used * 3 < slotsOf(size) && this.isSpare(cls)) this.retire(page, cls);
  }
  /** Would the other pages of the class hold all its strings, with a fifth of their room left? */
  private isSpare(cls: number): boolean {
    const room = ((this.pagesOf[cls] as number) - 1) * slotsOf(SIZES[cls] as number);
    return (this.usedOf[cls] as number) < room * 0.8;
  }
  private retire(page: number, cls: number): void {
    this.unlink(page, cls);
    this.pagesOf[cls] = (this.pagesOf[cls] as number) - 1;
    this.retired[page] = true;
    this.retiredCount++;
  }
  /** True when the string of `ref` should be moved, so that its page can be given back. */
  isRetired(ref: number): boolean {
    return this.retired[ref >>> SLOT_BITS] === true;
  }
  /** A copy of the `length` bytes of `ref` in another place, which is then the only one. */
  move(ref: number, length: number): number {
    const from = this.page(ref);
    const at = this.offset(ref);
    const to = this.allocate(length);
    from.copy(this.page(to), this.offset(to), at, at + length);
    this.release(ref);
    return to;
  }
  /** True when a string of `length` bytes fits the slot of `ref` as snugly as a new one would. */
  fits(ref: number, length: number): boolean {
    const cls = this.cls[ref >>> SLOT_BITS] as number;
    return cls !== OWN_CLASS && length <= LARGEST_SLOT && CLASS_OF[(length + 7) >> 3] === cls;
  }
  page(ref: number): Buffer {
    return this.pages[ref >>> SLOT_BITS] as Buffer;
  }
  /** Where the string of `ref` begins in its page. */
  offset(ref: number): number {
    const cls = this.cls[ref >>> SLOT_BITS] as number;
    return cls === OWN_CLASS ? 0 : (ref & SLOT_MASK) * (SIZES[cls] as number);
  }
  private newPage(buf: Buffer, cls: number): number {
    const page = this.vacant.pop() ?? this.pages.length;
    assert(page < MOST_PAGES, 'the slabs are full');
    this.pages[page] = buf;
    this.cls[page] = cls;
    this.used[page] = 0;
    if (cls !== OWN_CLASS) this.pagesOf[cls] = (this.pagesOf[cls] as number) + 1;
    this.free[page] = NONE;
    this.fresh[page] = 0;
    this.next[page] = NONE;
    this.prev[page] = NONE;
    this.bytes += buf.length;
    return page;
  }
  private dropPage(page: number): void {
    this.bytes -= (this.pages[page] as Buffer).length;
    this.pages[page] = undefined;
    this.vacant.push(page);
  }
  private link(page: number, cls: number): void {
    const head = this.heads[cls] as number;
    this.next[page] = head;
    this.prev[page] = NONE;
    if (head !== NONE) this.prev[head] = page;
    this.heads[cls] = page;
  }
  private unlink(page: number, cls: number): void {
    const next = this.next[page] as number;
    const prev = this.prev[page] as number;
    if (prev === NONE) this.heads[cls] = next;
    else this.next[prev] = next;
    if (next !== NONE) this.prev[next] = prev;
    this.next[page] = NONE;
    this.prev[page] = NONE;
  }
}
