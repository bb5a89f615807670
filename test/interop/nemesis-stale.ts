import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../../src/index.ts';
import { RawConnection } from '../e2e/member-raw.ts';
import type { MemberOfTest, Members } from '../e2e/members.ts';
import { PATIENCE_MS } from '../patience.ts';

const CONNECTIONS = 8;
const SYNCS_EACH = 4;
const CLOCK = '/clock';

/**
 * Asks leaders that were deposed while they slept or were alone, over connections from before: what a sync and the read behind
 * it say must not be older than what was acknowledged anywhere before they were sent (foundations.md 7).
 */
export class StaleReads {
  /** Syncs sent to a deposed leader when its successor had acknowledged a write. */
  sent = 0;
  /** Syncs sent to a partitioned leader before anybody had taken its place. */
  sentBefore = 0;
  answered = 0;
  hungUp = 0;
  readonly stale: string[] = [];
  private acknowledged = 0;

  async prepare(client: Client): Promise<void> {
    await client.create(CLOCK, '0');
  }
  /** Advances the clock through those of these members that serve. */
  private async advance(client: Client): Promise<void> {
    const next = this.acknowledged + 1;
    for (;;) {
      try {
        await client.set(CLOCK, String(next));
        break;
      } catch {
        await sleep(20); // in doubt: the same value again
      }
    }
    this.acknowledged = next;
  }
  private async connections(member: MemberOfTest): Promise<RawConnection[]> {
    const all = await Promise.all(Array.from({ length: CONNECTIONS }, () => RawConnection.open(member.clientPort)));
    return all.filter((each) => each !== undefined);
  }
  private writerTo(members: Members, not: MemberOfTest): Promise<Client> {
    const hosts = members.all.filter((each) => each !== not).map((each) => each.hosts);
    return connect(hosts.join(), { timeoutMs: 30_000 });
  }
  /** Sends a sync and a read behind it. `deposed`: a successor has acknowledged a write. */
  private ask(raw: RawConnection, floors: number[], deposed: boolean): void {
    if (raw.ended) return;
    raw.sync(1, CLOCK);
    raw.get(2, CLOCK);
    floors.push(this.acknowledged);
    if (deposed) this.sent++;
    else this.sentBefore++;
  }
  /** Judges what is answered until the connection ends, or all of it is answered and `isOver`. */
  private async judge(raw: RawConnection, floors: number[], isOver: () => boolean): Promise<void> {
    for (;;) {
      while (floors.length === 0) {
        if (isOver()) return;
        await sleep(10);
      }
      const sync = await raw.reply();
      const read = sync === undefined ? undefined : await raw.reply();
      if (sync === undefined || read === undefined) {
        this.hungUp += floors.length;
        return;
      }
      this.answered++;
      const floor = floors.shift() as number;
      const seen = Number(read.body.buffer()?.toString());
      if (sync.err !== 0 || read.err !== 0 || !(seen >= floor))
        this.stale.push(`sync ${sync.err}, read ${read.err}: ${seen} where ${floor} was acknowledged`);
    }
  }
  /** Asks as `during` says, over connections from before it; all that is asked must have an end. */
  private async watch(
    members: Members,
    leader: MemberOfTest,
    during: (raws: readonly (readonly [RawConnection, number[]])[], writer: Client) => Promise<void>,
  ): Promise<void> {
    const raws = (await this.connections(leader)).map((raw) => [raw, [] as number[]] as const);
    const writer = await this.writerTo(members, leader);
    let isOver = false;
    const judged = Promise.all(raws.map(([raw, floors]) => this.judge(raw, floors, () => isOver)));
    try {
      await during(raws, writer);
      isOver = true;
      const late = setTimeout(() => {
        this.stale.push('a deposed leader neither answers nor hangs up');
        for (const [raw] of raws) raw.close();
      }, PATIENCE_MS);
      await judged;
      clearTimeout(late);
    } finally {
      for (const [raw] of raws) raw.close();
      await writer.close();
    }
  }

  /** The leader sleeps until another is there; what was sent to it meanwhile it finds when it wakes. */
  ofStopped(members: Members, leader: MemberOfTest): Promise<void> {
    return this.watch(members, leader, async (raws, writer) => {
      members.note(`stop leader ${leader.id}`);
      leader.signal('SIGSTOP');
      try {
        await members.leader(leader.id);
        await this.advance(writer);
        for (let i = 0; i < SYNCS_EACH; i++) for (const [raw, floors] of raws) this.ask(raw, floors, true);
        await sleep(50);
      } finally {
        leader.signal('SIGCONT');
      }
    });
  }

  /** The leader cannot reach the others, its clients reach it; they ask again and again until it hangs up. */
  ofPartitioned(members: Members, leader: MemberOfTest): Promise<void> {
    return this.watch(members, leader, async (raws, writer) => {
      members.note(`partition leader ${leader.id}`);
      const from = members.all.flatMap(({ id }) => (id === leader.id ? [] : [id]));
      await leader.ask({ op: 'partition', from, clients: false });
      let isDeposed = false;
      let isOn = true;
      const asking = (async () => {
        while (isOn) {
          for (const [raw, floors] of raws) this.ask(raw, floors, isDeposed);
          await sleep(100);
        }
      })();
      try {
        await members.leader(leader.id);
        await this.advance(writer);
        isDeposed = true;
        for (let i = 0; i < 10; i++) {
          await sleep(200);
          await this.advance(writer);
        }
      } finally {
        isOn = false;
        await asking;
        for (const member of members.all) await member.ask({ op: 'heal' });
      }
    });
  }
}
