import { isEphemeral, keeps } from '../model/tree.ts';
import type { Ensemble } from './ensemble.ts';
import type { Member } from './member.ts';

/** How much longer than its time a session may live: clocks may be slow. */
const SLOW = 1.3;

/** Sessions that live although no server heard of them for more than their time (I9). */
export function silentSessions({ border, oracle, members, scheduler }: Ensemble, tickMs: number): bigint[] {
  const late = (id: bigint, timeoutMs: number): boolean =>
    scheduler.now - (border.lastHeard.get(id)?.at(-1)?.at ?? 0) > SLOW * timeoutMs + 4 * tickMs;
  const shared = [...oracle.state.sessions].filter(([id]) => oracle.state.isLive(id));
  const own = members.flatMap(({ program }) => [...(program?.locals ?? [])]);
  const all = [...shared.map(([id, { timeoutMs }]) => ({ id, timeoutMs })), ...own];
  return all.filter(({ id, timeoutMs }) => late(id, timeoutMs)).map(({ id }) => id);
}

/**
 * Wall clocks say one time from now on, the latest of theirs. A leader that saw its own go elsewhere reaps nothing in that term,
 * so all begin anew where one went.
 */
export function setClocks(members: readonly Member[]): void {
  const latest = Math.max(...members.map(({ host }) => host.wallOffset));
  if (members.every(({ host }) => host.wallOffset === 0)) return;
  for (const member of members) {
    member.host.wallOffset = latest;
    member.crash(false);
  }
}
/** Empty containers and nodes past their time to live, by the clock of who leads. */
export function overdue({ oracle: { state }, leader }: Ensemble): string[] {
  const wall = leader?.host.wall() ?? 0;
  const isDue = (path: string): boolean => {
    const node = state.tree.get(path);
    return node !== undefined && node.owner !== 0n && !isEphemeral(node.owner) && keeps(node, wall) === undefined;
  };
  return state.tree.paths().filter(isDue);
}

/** A member that can be cut off for a while, and how: none where the others would be no quorum. */
export function someoneToCut(
  { leader, network, voters, configs }: Ensemble,
  left: readonly Member[],
): { readonly sid: number; cut(on: boolean): void } | undefined {
  const mayGo = (member: Member): boolean =>
    configs.decides(voters, (sid) => sid !== member.sid && left.some((each) => each.sid === sid));
  const away = left.find((member) => member !== leader && mayGo(member));
  if (away === undefined) return undefined;
  const { name } = away.host;
  const others = left.map(({ host }) => host.name).filter((other) => other !== name);
  const paths = others.flatMap((other) => [
    { from: name, to: other, channel: undefined },
    { from: other, to: name, channel: undefined },
  ]);
  return {
    sid: away.sid,
    cut: (on) => {
      for (const path of paths) on ? network.links.block(path) : network.links.unblock(path);
    },
  };
}
