import { Sizes } from './sizes.ts';

/** Sizes of what this server proposed as a leader, in bytes of the log; -1 before the first of its term. */
export class ProposalSizes extends Sizes {
  /** In all terms of this life, or since `srst`. */
  count = 0;

  override add(bytes: number): void {
    super.add(bytes);
    this.count++;
  }
  beginTerm(): void {
    this.forget();
  }
  /** As `srst` does. */
  reset(): void {
    this.beginTerm();
    this.count = 0;
  }
}
