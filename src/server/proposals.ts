/** Sizes of what this server proposed as a leader, in bytes of the log; -1 before the first of its term. */
export class ProposalSizes {
  last = -1;
  min = -1;
  max = -1;
  /** In all terms of this life, or since `srst`. */
  count = 0;

  add(bytes: number): void {
    this.last = bytes;
    if (this.min < 0 || bytes < this.min) this.min = bytes;
    if (bytes > this.max) this.max = bytes;
    this.count++;
  }
  beginTerm(): void {
    this.last = -1;
    this.min = -1;
    this.max = -1;
  }
  /** As `srst` does. */
  reset(): void {
    this.beginTerm();
    this.count = 0;
  }
}
