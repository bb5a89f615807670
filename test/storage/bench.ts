import { lanes } from '../../src/base/hash.ts';
import type { Random } from '../../src/base/random.ts';
import { PackReader } from '../../src/records/pack.ts';
import { KIND, OPEN_ACL, readEnvelope, type Txn, writeEnvelope } from '../../src/records/txns.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { SnapshotLoader } from '../../src/tree/snapshot.ts';
import type { SimDisk } from '../sim/disk.ts';

/** A member's storage and tree over a simulated disk, with just enough of a leader to write. */
export class Member {
  readonly storage: Storage;
  readonly tree: DataTree;
  persisted = 0;
  next: number;
  private chain: { hi: number; lo: number };
  private readonly disk: SimDisk;
  private readonly life: number;
  private constructor(disk: SimDisk, life: number, storage: Storage, tree: DataTree) {
    this.disk = disk;
    this.life = life;
    this.storage = storage;
    this.tree = tree;
    this.next = tree.zxidLo + 1;
    this.persisted = tree.zxidLo;
    this.chain = { hi: storage.chain.hi, lo: storage.chain.lo };
    storage.log.onPersisted = (_generation, _hi, lo) => {
      this.persisted = lo;
    };
  }
  static async open(disk: SimDisk, random: Random): Promise<Member> {
    const { life } = disk;
    let loader: SnapshotLoader | undefined;
    let tree: DataTree | undefined;
    const storage = await openStorage({
      disk: disk.plug(),
      zeroAheadBytes: 0,
      dataDir: '/data',
      logDir: '/log',
      sid: 1,
      random,
      forceSync: true,
      ignoreApacheData: false,
      onSnapshotChunk: (chunk) => (loader ??= new SnapshotLoader(1)).push(chunk),
      onSnapshotEnd: () => {
        tree = loader?.finish();
      },
      onEnvelope: (bytes, start, end) => {
        tree ??= new DataTree(1);
        const { zxidHi, zxidLo, time, txn, chainHi, chainLo } = readEnvelope(
          new PackReader(bytes, start, end),
          undefined,
        );
        apply(tree, zxidHi, zxidLo, time, txn, NO_SINK);
        tree.chained(chainHi, chainLo);
      },
    });
    return new Member(disk, life, storage, tree ?? new DataTree(1));
  }
  /** Applies at once and logs; the caller flushes. All in epoch 1. */
  write(data: Uint8Array | null): void {
    const z = this.next++;
    const txn: Txn = { kind: KIND.create, path: `/n${z}`, data, acl: OPEN_ACL, owner: 0n, creates: z };
    const to = this.storage.writer();
    const start = to.at;
    writeEnvelope(to, 1, z, 1000 + z, 0n, 0, txn, this.chain.hi, this.chain.lo);
    this.chain = { hi: lanes[0] as number, lo: lanes[1] as number };
    this.storage.commitEnvelope(start, 1, z);
    apply(this.tree, 1, z, 1000 + z, txn, NO_SINK);
    this.tree.chained(this.chain.hi, this.chain.lo);
  }
  flush(): void {
    this.storage.log.flush(1, this.persisted);
  }
  async settled(): Promise<void> {
    while (this.persisted < this.next - 1) {
      if (this.disk.life !== this.life) return new Promise(() => {}); // this life is over
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
