/** The last, the least and the most of some sizes, in bytes; -1 before the first. */
export class Sizes {
  last = -1;
  min = -1;
  max = -1;

  add(bytes: number): void {
    this.last = bytes;
    if (this.min < 0 || bytes < this.min) this.min = bytes;
    if (bytes > this.max) this.max = bytes;
  }
  forget(): void {
    this.last = -1;
    this.min = -1;
    this.max = -1;
  }
}
