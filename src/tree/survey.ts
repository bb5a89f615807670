import { PackReader, RecordError } from '../records/pack.ts';
import { readAcl } from '../records/txns.ts';
import { DataTree } from './data-tree.ts';
import { DigestSum } from './digest.ts';
import { END, HEAD, NODE, readHead, SESSION } from './snapshot.ts';

/** What a snapshot says of itself, and what is in it: gathered record by record, so that no tree has to fit into memory. */
export class SnapshotSurvey {
  nodes = 0;
  sessions = 0;
  ephemerals = 0;
  containers = 0;
  ttls = 0;
  /** Of data. */
  bytes = 0;
  private head: DataTree | undefined;
  private expected = -1;
  private ended = false;
  private readonly sum = new DigestSum();

  get ensembleId(): string {
    return this.head?.ensembleId ?? '';
  }
  /** As {@link TreeDigest} has it, once all was pushed. */
  get digest(): string {
    return String(this.sum);
  }
  /** All records came. */
  get isWhole(): boolean {
    return this.ended && this.nodes === this.expected;
  }
  /** The records of a chunk. @throws RecordError */
  push(chunk: Uint8Array): void {
    const from = new PackReader(chunk);
    while (from.at < from.end) {
      if (this.ended) throw new RecordError('records after the end of a snapshot');
      const start = from.at;
      const fields = from.array();
      const type = from.int();
      if (type === NODE && fields === 7) this.node(from, start);
      else if (type === SESSION && fields === 4) {
        this.sum.addSession(from.big(), from.int(), from.bin());
        this.sessions++;
      } else if (type === HEAD && this.head === undefined) {
        this.head = new DataTree(0, false);
        this.expected = readHead(from, fields, this.head);
      } else if (type === END && fields === 2) {
        if (from.int() !== this.nodes) throw new RecordError('a snapshot with nodes missing');
        this.ended = true;
      } else throw new RecordError(`record ${type} of ${fields} fields in a snapshot`);
    }
  }
  private node(from: PackReader, start: number): void {
    const path = from.textLength();
    from.at += path;
    this.bytes += from.binOrNil()?.length ?? 0;
    from.bin();
    readAcl(from);
    from.int64();
    const { hi, lo } = from;
    from.int();
    this.sum.add(from.bytes.subarray(start, from.at));
    this.nodes++;
    if (hi === -0x8000_0000 && lo === 0) this.containers++;
    else if (hi >>> 24 === 0xff) this.ttls++;
    else if (hi !== 0 || lo !== 0) this.ephemerals++;
  }
}
