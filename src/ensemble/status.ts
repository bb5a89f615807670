import type { MemberStatus } from '../runtime/control-messages.ts';
import type { DamageNote } from '../runtime/damage-notes.ts';
import type { EnsembleView, MemberView } from '../shell/ensembles.ts';
import { showAge } from '../shell/units.ts';
import type { Ensemble } from './ensemble.ts';
import { bracketed, memberFolder, portsOf } from './layout.ts';

const STATUS_MS = 1000;

/** What every member is and does, asked side by side. */
export async function viewOf(ensemble: Ensemble, withDigest = false): Promise<EnsembleView> {
  const { file } = ensemble;
  const found = await Promise.all(file.members.map(({ id }) => look(ensemble, id, withDigest)));
  const leader = found
    .map(({ status }) => status)
    .filter((status) => status?.role === 'leader' && status.serving)
    .sort((a, b) => (b?.epoch ?? 0) - (a?.epoch ?? 0))[0];
  const voters = found.filter((each) => votes(ensemble, each));
  const following = (id: number): boolean => {
    const { status, paused } = found.find((each) => each.id === id) ?? {};
    return !paused && status?.serving === true && leader !== undefined && status.leader === leader.sid;
  };
  const serving = voters.filter(({ id }) => following(id)).length;
  return {
    name: file.name,
    connect: ensemble.connect,
    directory: ensemble.folder.path,
    members: found.map((each) => memberView(ensemble, each, leader)),
    quorum: serving > voters.length / 2,
    voters: voters.length,
    serving,
    electionMs: leader?.electionMs,
  };
}

interface Looked {
  readonly id: number;
  readonly pid: number | undefined;
  readonly paused: boolean;
  readonly status: MemberStatus | undefined;
  readonly digest: string | undefined;
}
async function look(ensemble: Ensemble, id: number, withDigest: boolean): Promise<Looked> {
  const found = ensemble.process(id).find();
  const none = { id, pid: found?.pid, paused: found?.paused === true, status: undefined, digest: undefined };
  if (found === undefined || found.paused) return none;
  try {
    const status = await ensemble.ask(id, { op: 'status' }, STATUS_MS);
    const digest = withDigest ? (await ensemble.ask(id, { op: 'digest' }, 30_000)).digest : undefined;
    return { ...none, status, digest };
  } catch {
    return none; // it lives and does not answer (yet)
  }
}

/** As it says of itself, since somebody may have changed that by hand; of one that is down what it was made for. */
function votes(ensemble: Ensemble, { id, status }: Pick<Looked, 'id' | 'status'>): boolean {
  if (status?.role === 'observer') return false;
  if (status?.role === 'leader' || status?.role === 'follower') return true;
  return ensemble.member(id).role === 'participant';
}

function memberView(ensemble: Ensemble, { id, pid, paused, status, digest }: Looked, leader: MemberStatus | undefined) {
  const { file } = ensemble;
  const member = ensemble.member(id);
  const state = pid === undefined ? 'down' : paused ? 'paused' : status?.serving === true ? 'up' : 'starting';
  const view: MemberView = {
    id,
    role: status?.role ?? '-',
    state,
    votes: votes(ensemble, { id, status }),
    client: `${bracketed(file.host)}:${member.client}`,
    ports: portsOf(member),
    pid,
    phase: status?.phase,
    epoch: status?.epoch,
    zxid: status?.zxid,
    lag: lagOf(status, leader),
    clients: status?.clients,
    leader: status?.leader,
    digest,
    repair: status?.repair,
    faults: faultsOf(ensemble, id, status),
    damage: (status?.damage ?? []).map(damageText),
    directory: memberFolder(file, id),
  };
  return view;
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
const damageText = ({ at, found, mended }: DamageNote): string =>
  `${timeOf(at)} ${found}; ${mended === undefined ? 'not mended yet' : `${timeOf(mended.at)} ${mended.how}`}`;

/** Transactions behind the leader, within one epoch. */
function lagOf(status: MemberStatus | undefined, leader: MemberStatus | undefined): number | undefined {
  if (status === undefined || leader === undefined) return undefined;
  const [own, its] = [BigInt(status.zxid), BigInt(leader.zxid)];
  return own >> 32n === its >> 32n ? Math.max(0, Number(its - own)) : undefined;
}

function faultsOf(ensemble: Ensemble, id: number, status: MemberStatus | undefined): string[] {
  const member = ensemble.process(id);
  const { ended } = member;
  const out: string[] = [];
  if (status !== undefined) {
    const { cut, lagMs, clientsCut } = status.faults;
    if (cut.length > 0) out.push(`cut from ${cut.join(',')}`);
    if (clientsCut) out.push('clients cut');
    if (lagMs > 0) out.push(`lag ${lagMs}ms`);
    if (status.repair !== undefined) out.push(status.repair.startsWith('waits') ? 'waits for room' : 'being repaired');
    else if (status.damage.some(({ mended }) => mended === undefined)) out.push('damaged');
    else if (status.damage.length > 0) out.push('repaired');
  } else if (ended !== undefined && member.find() === undefined)
    out.push(`${ended.how} ${showAge(ended.at, Date.now())}`);
  else if (member.failed) out.push('ended by itself');
  return out;
}
