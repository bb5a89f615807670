import type { Violation } from '../check/verdicts.ts';
import { configOf } from './config.ts';
import type { CoverageRecord } from './coverage.ts';
import { Ensemble } from './ensemble.ts';
import type { Done } from './nemesis.ts';
import { Phases, SAID, type Spans, STRANGE, USED_UP } from './phases.ts';
import type { Boot } from './program.ts';
import { type Plan, serversOf } from './swarm.ts';

/** What a run came to. */
export interface RunResult {
  readonly plan: Plan;
  readonly hash: string;
  readonly events: number;
  readonly violations: readonly Violation[];
  /** `chaos`: those that were done or refused while the chaos lasted. */
  readonly operations: {
    readonly done: number;
    readonly refused: number;
    readonly lost: number;
    readonly chaos: number;
  };
  readonly checked: {
    readonly replies: number;
    readonly events: number;
    readonly syncs: number;
    readonly moments: number;
  };
  /** Terms, but for those that follow on one that only ended with its counter. */
  readonly leaders: number;
  readonly simulatedMs: Spans;
  readonly realMs: number;
  readonly faults: readonly Done[];
  readonly coverage: CoverageRecord;
  readonly lines: readonly string[];
}
export interface RunOptions {
  readonly plan: Plan;
  readonly boot: Boot;
  /** Names of faults that are left out. */
  readonly mask?: ReadonlySet<string>;
  readonly onLine?: (line: string) => void;
}

/** One run: warm-up, chaos, heal, liveness, audit (reliability.md 6.5). */
export async function run(options: RunOptions): Promise<RunResult> {
  const { plan } = options;
  const began = performance.now();
  const servers = serversOf(plan);
  using ensemble = new Ensemble({
    seed: plan.seed,
    servers,
    tickMs: plan.tickMs,
    boot: options.boot,
    config: (sid) => configOf(sid, plan),
    sessions: plan.sessions,
  });
  ensemble.voters = servers.slice(0, plan.voters);
  ensemble.configs.shares = plan.shares;
  ensemble.network.links.meanMs = plan.meanDelayMs;
  for (const member of ensemble.members) {
    member.diskMs = plan.diskMs;
    member.logMs = plan.logMs;
    member.lastCounter = plan.lastCounter;
    member.transfer = plan.transfer;
  }
  if (plan.lastCounter !== undefined) ensemble.ledger.lastCounter = plan.lastCounter;
  if (options.onLine !== undefined) ensemble.trace.onLine = options.onLine;
  ensemble.trace.count(...Object.values(SAID), STRANGE);
  const phases = new Phases(ensemble, plan, options.mask);
  const simulatedMs = await phases.all();
  const { border, verdicts, oracle, trace } = ensemble;
  return {
    plan,
    hash: trace.hash,
    events: trace.events,
    violations: verdicts.violations,
    operations: { ...phases.load.counts, chaos: phases.chaosOperations },
    checked: { ...border.counts, moments: oracle.state.now },
    leaders: ensemble.observer.epochs.size - trace.said(USED_UP),
    simulatedMs,
    realMs: performance.now() - began,
    faults: phases.nemesis.done,
    coverage: phases.coverage.record(),
    lines: trace.latest(verdicts.clean ? 20 : 400),
  };
}
