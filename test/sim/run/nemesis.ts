import { exponential, oneIn } from '../world/chance.ts';
import type { FaultWorld, Injected } from './fault.ts';
import { FAULTS } from './faults.ts';
import type { FaultPlan } from './swarm.ts';

/** A fault that was injected: shrinking leaves some out by their names. */
export interface Done {
  /** `kind#n`, the n-th of its kind. */
  readonly name: string;
  readonly at: number;
  readonly text: string;
}
const AIMED: ReadonlySet<FaultPlan['kind']> = new Set([
  'net.partition_one',
  'proc.crash',
  'proc.pause',
  'disk.lost_unsynced',
]);
/** Of a burst so many come at a twentieth of the usual distance, then none for long. */
const BURST = 6;

/** Injects faults while the chaos lasts, each kind by a stream of chance of its own. */
export class Nemesis {
  readonly done: Done[] = [];
  private readonly world: FaultWorld;
  private readonly plans: readonly FaultPlan[];
  /** Names that are left out. */
  private readonly mask: ReadonlySet<string>;
  private readonly under = new Set<Injected>();
  private running = false;

  constructor(world: FaultWorld, plans: readonly FaultPlan[], mask: ReadonlySet<string> = new Set()) {
    this.world = world;
    this.plans = plans;
    this.mask = mask;
  }
  start(): void {
    this.running = true;
    for (const plan of this.plans) void this.drive(plan);
  }
  /** No further one; those that last end now. */
  stop(): void {
    this.running = false;
    for (const each of [...this.under]) this.end(each);
  }
  private end(injected: Injected): void {
    if (this.under.delete(injected)) injected.end();
  }
  private async drive({ kind, everyMs, burst }: FaultPlan): Promise<void> {
    const { scheduler, chance } = this.world.ensemble;
    const random = chance.stream(`fault/${kind}`);
    for (let count = 0; ; count++) {
      const quick = burst && count % (BURST + 1) !== 0;
      // the first burst comes no later than another kind's first
      const rest = burst && count > 0 ? everyMs * BURST : everyMs;
      await scheduler.sleep(exponential(random, quick ? everyMs / 20 : rest));
      // some are aimed: at the moment in which somebody begins to lead
      if (AIMED.has(kind) && oneIn(random, 4))
        await Promise.race([this.world.ensemble.observer.nextLeader(), scheduler.sleep(everyMs * 2)]);
      if (!this.running) return;
      this.inject(kind, count);
    }
  }
  private inject(kind: FaultPlan['kind'], count: number): void {
    const { ensemble, coverage } = this.world;
    const name = `${kind}#${count}`;
    if (this.mask.has(name)) return;
    const injected = FAULTS[kind]?.(this.world, ensemble.chance.stream(`fault/${name}`));
    if (injected === undefined) return;
    coverage.inject(kind);
    this.done.push({ name, at: ensemble.scheduler.now, text: injected.text });
    ensemble.say(`FAULT ${name} ${injected.text}${injected.forMs > 0 ? ` for ${Math.round(injected.forMs)} ms` : ''}`);
    if (injected.forMs === 0) return;
    this.under.add(injected);
    const over = (): void => {
      if (!this.under.has(injected)) return;
      this.end(injected);
      ensemble.say(`end of ${name}`);
    };
    ensemble.scheduler.after(injected.forMs, 4, 0, over);
    void injected.until?.then(over);
  }
}
