import type { Style } from '../../../src/recipes/styles.ts';
import { Story, StoryOver } from '../hist/story.ts';
import type { Member } from '../run/member.ts';
import { fraction, logUniform, oneIn, pick } from '../world/chance.ts';
import { Rival } from './rival.ts';

const RIVALS = 3;
const TICK_MS = 200;
const SESSION_MS = 6 * TICK_MS;
const TROUBLE_MS = 20_000;
/** Clocks are this much too fast or too slow at most: two of them stay within the margin that holders keep. */
const DRIFT = 0.045;
const PATH = '/lock';

export interface Contention {
  readonly seed: number;
  /** What is wrong, with the end of the trace. */
  readonly faults: readonly string[];
  readonly acquired: number;
  readonly lost: number;
  /** Holders that were cut off from everybody, or whose process stood still, while they held. */
  readonly cutOff: number;
  readonly paused: number;
  readonly leaders: number;
}
/** Two rates, apart by a factor of 1.094 at most. */
const rate = (random: Parameters<typeof fraction>[0]): number => 1 + DRIFT * (2 * fraction(random) - 1);

/**
 * Three clients want one lock of an ensemble of three. Whoever holds it is cut off or stands still, servers are cut off or
 * die, no two clocks go alike. Never do two believe to hold it; later holders have greater tokens; in the end each gets it.
 */
export async function contention(seed: number): Promise<Contention> {
  using story = new Story({ seed, plan: { tickMs: TICK_MS, sessionMs: SESSION_MS, snapCount: 1000 } });
  const { ensemble } = story;
  const { scheduler, trace } = ensemble;
  const { links } = ensemble.network;
  const random = ensemble.chance.stream('locks');
  const faults: string[] = [];
  const counts = { cutOff: 0, paused: 0 };
  const style = pick<Style>(random, ['zoosh', 'kazoo', 'curator']);
  const rivals = Array.from(
    { length: RIVALS },
    () => new Rival(story.clientOf(), PATH, style, () => logUniform(random, 20, 3 * SESSION_MS)),
  );
  const isFine = (): boolean => faults.length === 0 && ensemble.verdicts.clean;
  const fault = (text: string): void => {
    if (isFine()) faults.push(`${Math.round(scheduler.now)}: ${text}`);
  };

  let lastToken = 0n;
  for (const rival of rivals)
    rival.onHold = ({ token }) => {
      if (token <= lastToken) fault(`a holder has the token ${token}, one before had ${lastToken}`);
      lastToken = token;
    };
  const { afterEach } = scheduler;
  scheduler.afterEach = () => {
    afterEach();
    const holders = rivals.filter((each) => each.believes);
    if (holders.length > 1)
      fault(`${holders.map(({ client }) => client.host.name).join(' and ')} both believe that they hold it`);
  };

  /** Nothing gets through between this client and all servers, or one way only. */
  const cutOff = (rival: Rival, ms: number): void => {
    const mine = rival.client.host.name;
    const paths = ensemble.members.flatMap(({ host: { name } }) => [
      { from: mine, to: name, channel: undefined },
      { from: name, to: mine, channel: undefined },
    ]);
    const way = random.below(4);
    const cut = paths.filter((_, i) => way > 1 || i % 2 === way);
    for (const path of cut) links.block(path);
    scheduler.after(ms, 4, 0, () => {
      for (const path of cut) links.unblock(path);
    });
  };
  const isolate = (member: Member, ms: number): void => {
    const others = story.others(member.sid);
    story.partition([member.sid], others);
    scheduler.after(ms, 4, 0, () => {
      for (const sid of others)
        for (const [from, to] of [
          [member.host.name, story.member(sid).host.name],
          [story.member(sid).host.name, member.host.name],
        ] as const)
          links.unblock({ from, to, channel: undefined });
    });
  };
  const trouble = (): void => {
    const holder = rivals.find((each) => each.believes);
    const rival = holder !== undefined && !oneIn(random, 4) ? holder : pick(random, rivals);
    const ms = logUniform(random, 0.05 * SESSION_MS, 2.5 * SESSION_MS);
    const kind = random.below(10);
    if (kind < 4) {
      if (rival === holder) counts.cutOff++;
      cutOff(rival, ms);
    } else if (kind < 6) {
      if (rival === holder) counts.paused++;
      rival.client.host.pause();
      scheduler.after(ms, 4, 0, () => rival.client.host.resume());
    } else if (kind < 8) isolate(pick(random, ensemble.members), ms);
    else {
      const member = oneIn(random, 2) ? (ensemble.leader ?? ensemble.members[0]) : pick(random, ensemble.members);
      (member as Member).crash(false);
      scheduler.after(ms, 4, 0, () => (member as Member).start());
    }
  };

  try {
    story.start();
    await story.serving();
    for (const { host } of [...ensemble.members, ...rivals.map(({ client }) => client)]) host.drift(rate(random));
    for (const rival of rivals) rival.start();
    const end = scheduler.now + TROUBLE_MS;
    while (scheduler.now < end && isFine()) {
      await story.run(logUniform(random, 50, 3000));
      trouble();
    }
    await story.run(3 * SESSION_MS);
    story.heal();
    for (const { client } of rivals) client.host.resume();
    for (const member of ensemble.members) member.start();
    const before = rivals.map(({ acquired }) => acquired);
    await story.until('each rival holds it once more', () =>
      rivals.every(({ acquired }, i) => acquired > (before[i] ?? 0)),
    );
  } catch (error) {
    if (!(error instanceof StoryOver)) throw error;
  }
  for (const rival of rivals) rival.stop();
  faults.push(...story.violations.map(({ rule, at, text }) => `${rule} at ${Math.round(at)}: ${text}`));
  if (faults.length > 0) faults.push(...trace.latest(60));
  const sum = (of: (rival: Rival) => number): number => rivals.reduce((all, each) => all + of(each), 0);
  const leaders = ensemble.observer.epochs.size;
  return { seed, faults, ...counts, leaders, acquired: sum((each) => each.acquired), lost: sum((each) => each.lost) };
}
