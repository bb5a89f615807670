import type { ServerConfig } from '../../../src/server/config.ts';
import type { DataTree } from '../../../src/tree/data-tree.ts';
import { Border } from '../check/border.ts';
import { hex, Ledger } from '../check/ledger.ts';
import { chainKey } from '../check/log-tap.ts';
import { Oracle } from '../check/oracle.ts';
import { judgeExpiry } from '../check/sessions.ts';
import { treeFaults, zxidOfTree } from '../check/trees.ts';
import { Verdicts } from '../check/verdicts.ts';
import { Chance } from '../world/chance.ts';
import { patchGlobals } from '../world/globals.ts';
import { Host } from '../world/host.ts';
import { Links } from '../world/links.ts';
import { Network } from '../world/network.ts';
import { Scheduler } from '../world/scheduler.ts';
import { Trace } from '../world/trace.ts';
import { Member, type MemberWorld } from './member.ts';
import type { Boot } from './program.ts';
import { Touch } from './touch.ts';

export interface EnsembleOptions {
  readonly seed: number;
  readonly servers: readonly number[];
  readonly tickMs: number;
  readonly boot: Boot;
  readonly config: (sid: number) => ServerConfig;
}

/** Trees are compared with the model as a whole after this many transactions, and at the end. */
const COMPARE_EVERY = 150;

/** Several servers in one process, everything they stand on simulated, everything they say and keep checked. */
export class Ensemble implements Disposable {
  readonly chance: Chance;
  readonly trace = new Trace();
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly verdicts: Verdicts;
  readonly ledger: Ledger;
  readonly oracle: Oracle;
  readonly border: Border;
  readonly members: readonly Member[];
  readonly touch: Touch;
  /** Who led which epoch, and since when, ms. */
  readonly epochs = new Map<number, { sid: number; since: number }>();
  /** Whose acks make a quorum; the majority of all unless a scenario says otherwise. */
  voters: readonly number[];
  private readonly seen = new Map<number, { tree: DataTree; zxid: bigint; compared: number }>();
  private readonly patched: Disposable;
  readonly options: EnsembleOptions;

  constructor(options: EnsembleOptions) {
    this.options = options;
    this.chance = new Chance(options.seed);
    this.scheduler = new Scheduler(this.chance.stream('ties'), this.trace);
    const now = (): number => this.scheduler.now;
    this.network = new Network(this.scheduler, new Links(this.chance.stream('links')), this.chance.stream('network'));
    this.verdicts = new Verdicts(now);
    this.verdicts.onViolation = ({ rule, text }) => this.say(`VIOLATION ${rule}: ${text}`);
    this.ledger = new Ledger(this.verdicts, now);
    this.oracle = new Oracle(this.verdicts);
    this.ledger.onCommitted = (committed) => this.oracle.take(committed);
    this.voters = options.servers;
    this.border = new Border({
      oracle: this.oracle,
      ledger: this.ledger,
      verdicts: this.verdicts,
      now,
      isQuorum: (sids) => 2 * sids.filter((sid) => this.voters.includes(sid)).length > this.voters.length,
      sidOf: (host) => host.number,
      momentOf: (sid) => this.oracle.state.momentOf(this.seen.get(sid)?.zxid ?? 0n),
    });
    const world: MemberWorld = {
      scheduler: this.scheduler,
      network: this.network,
      chance: this.chance,
      ledger: this.ledger,
      border: this.border,
      boot: options.boot,
      say: (text) => this.say(text),
      threw: (sid, error) => this.threw(`server ${sid}`, error),
    };
    this.members = options.servers.map((sid) => new Member(sid, options.config(sid), world));
    this.touch = new Touch(this.members, this.network.links, now, () => this.leader?.sid);
    this.oracle.onExpired = (session, committed) =>
      judgeExpiry(
        {
          verdicts: this.verdicts,
          tickMs: options.tickMs,
          lastHeard: (id) => this.border.lastHeard.get(id) ?? [],
          timeoutMs: (id) => this.oracle.state.sessions.get(id)?.timeoutMs ?? 0,
          wasInTouch: (sid, from, until) => this.touch.held(sid, from, until),
          ledSince: (epoch) => this.epochs.get(epoch)?.since,
        },
        session,
        committed,
      );
    this.scheduler.afterEach = () => this.look();
    this.patched = patchGlobals(this.scheduler, this.chance.stream('math'));
    process.on('unhandledRejection', this.onRejection);
  }
  private readonly onRejection = (error: unknown): void =>
    this.threw(Host.current === undefined ? 'the harness' : Host.current.name, error);
  private threw(who: string, error: unknown): void {
    this.verdicts.fail(
      'crash',
      `${who} threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }
  say(text: string): void {
    this.trace.say(this.scheduler.now, text);
  }
  member(sid: number): Member {
    const found = this.members.find((each) => each.sid === sid);
    if (found === undefined) throw new Error(`no server ${sid}`);
    return found;
  }
  /** Who leads the latest epoch and runs. */
  get leader(): Member | undefined {
    let found: Member | undefined;
    let latest = -1;
    for (const member of this.members) {
      const { host, program } = member;
      const epoch = host.alive && !host.paused ? program?.leads : undefined;
      if (epoch === undefined || epoch < latest) continue;
      found = member;
      latest = epoch;
    }
    return found;
  }
  start(): void {
    for (const member of this.members) member.start();
  }
  /** What must hold at every moment. */
  private look(): void {
    for (const member of this.members) {
      const { sid, host, program } = member;
      if (program === undefined || !host.alive) continue;
      this.lookAtRole(sid, program.leads);
      const { tree } = program;
      if (tree === undefined) continue;
      const last = this.seen.get(sid);
      const zxid = last?.tree === tree ? last.zxid : -1n;
      if (Number(zxid & 0xffff_ffffn) === tree.zxidLo >>> 0 && Number(zxid >> 32n) === tree.zxidHi) continue;
      const now = zxidOfTree(tree);
      if (now < zxid) this.verdicts.fail('I2', `server ${sid} went back from ${hex(zxid)} to ${hex(now)}`);
      this.ledger.applied(sid, now, chainKey(tree.chainHi, tree.chainLo));
      const compared = last?.compared ?? 0;
      const due = this.oracle.state.now - compared >= COMPARE_EVERY;
      this.seen.set(sid, { tree, zxid: now, compared: due ? this.oracle.state.now : compared });
      if (due) this.compare(member);
    }
    this.touch.look();
    this.border.settle();
  }
  private lookAtRole(sid: number, epoch: number | undefined): void {
    if (epoch === undefined) return;
    const known = this.epochs.get(epoch);
    if (known === undefined) {
      this.epochs.set(epoch, { sid, since: this.scheduler.now });
      this.say(`s${sid} leads epoch ${epoch}`);
    } else if (known.sid !== sid) this.verdicts.fail('I1', `servers ${known.sid} and ${sid} both led epoch ${epoch}`);
  }
  /** A member's tree against the model, whole. */
  compare({ sid, program }: Member): void {
    if (program?.tree === undefined) return;
    const faults = treeFaults(program.tree, this.oracle.state);
    if (faults.length > 0)
      this.verdicts.fail('I6', `server ${sid} differs in ${faults.length} places: ${faults.slice(0, 3).join('; ')}`);
  }
  async run(ms: number): Promise<void> {
    const end = this.scheduler.now + ms;
    let over = false;
    this.scheduler.at(end, 4, 0, () => {
      over = true;
    });
    await this.scheduler.runUntil(() => over || !this.verdicts.clean);
  }
  [Symbol.dispose](): void {
    for (const { host } of this.members) host.end(false);
    this.patched[Symbol.dispose]();
    process.off('unhandledRejection', this.onRejection);
  }
}
