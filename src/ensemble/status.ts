import { KeeperError } from '../base/errors.ts';
import { connect } from '../client/connect.ts';
import type { MemberStatus } from '../runtime/control-messages.ts';
import type { DamageNote } from '../runtime/damage-notes.ts';
import type { EnsembleView, MemberView } from '../shell/ensembles.ts';
import { showAge } from '../shell/units.ts';
import type { Ensemble } from './ensemble.ts';
import { askInForce, type InForce, inForceOnDisk } from './in-force.ts';
import { bracketed, memberFolder, portsOf } from './layout.ts';

const STATUS_MS = 1000;
/** A session, a sync and a read go to and fro so often. */
const LAGS = 8;
const MOST_MS = 10_000;
/** Of the session of a look, which ends with it. */
const SESSION_MS = 10_000;
/** The request may not have reached anybody who decides. */
const UNSURE: ReadonlySet<string> = new Set(['ConnectionLoss', 'SessionExpired', 'OperationTimeout', 'RequestTimeout']);

/**
 * What every member is and does, asked side by side. Who votes is read from the config in force, and that there is a quorum
 * is what a leader says whose sync a quorum has answered: one that woke up, or is cut off, still takes itself for the leader.
 */
export async function viewOf(ensemble: Ensemble, withDigest = false): Promise<EnsembleView> {
  const { file } = ensemble;
  const found = await Promise.all(file.members.map(({ id }) => look(ensemble, id, withDigest)));
  const claims = found
    .filter(({ status }) => status?.role === 'leader' && status.serving)
    .sort((a, b) => (b.status?.epoch ?? 0) - (a.status?.epoch ?? 0));
  const answers = await Promise.all(claims.map(({ id }) => confirmedBy(ensemble, id)));
  const sure = answers.findIndex((answer) => answer !== undefined);
  const leader = claims[Math.max(sure, 0)]?.status;
  const inForce = answers[sure]?.inForce ?? inForceOnDisk(file);
  const isVoter = (each: Looked): boolean => votes(ensemble, each, inForce);
  const following = ({ status, paused }: Looked): boolean =>
    !paused && status?.serving === true && leader !== undefined && status.leader === leader.sid;
  const serving = found.filter((each) => isVoter(each) && following(each)).length;
  const succeeded = (each: Looked): boolean => sure >= 0 && each.status?.role === 'leader' && each.status !== leader;
  return {
    name: file.name,
    connect: ensemble.connect,
    directory: ensemble.folder.path,
    members: found.map((each) => memberView(ensemble, each, { leader, votes: isVoter(each), old: succeeded(each) })),
    quorum: sure >= 0,
    voters:
      inForce === undefined
        ? found.filter(isVoter).length
        : [...inForce.roles.values()].filter((role) => role === 'participant').length,
    serving,
    electionMs: leader?.electionMs,
  };
}

/** What a quorum confirmed through one that says that it leads; undefined when none did in time. */
async function confirmedBy(
  ensemble: Ensemble,
  id: number,
): Promise<{ readonly inForce: InForce | undefined } | undefined> {
  const { host } = ensemble.file;
  const { lag = {} } = ensemble.folder.faults;
  const ms = Math.min(STATUS_MS + LAGS * Math.max(0, ...Object.values(lag)), MOST_MS);
  const signal = AbortSignal.timeout(ms);
  try {
    const server = `${bracketed(host)}:${ensemble.member(id).client}`;
    const client = await connect(server, { signal, connectTimeoutMs: ms, timeoutMs: SESSION_MS });
    try {
      return { inForce: await askInForce(client, signal) };
    } finally {
      await client.close();
    }
  } catch (error) {
    // who may not read it, or must log in first, was told so by a server that had its session from a quorum
    return error instanceof KeeperError && !UNSURE.has(error.code) ? { inForce: undefined } : undefined;
  }
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

/** By the config in force, as far as that is known; then as it says of itself; of one that is down what it was made for. */
function votes(
  ensemble: Ensemble,
  { id, status }: Pick<Looked, 'id' | 'status'>,
  inForce: InForce | undefined,
): boolean {
  if (inForce !== undefined) return inForce.roles.get(id) === 'participant';
  if (status?.role === 'observer') return false;
  if (status?.role === 'leader' || status?.role === 'follower') return true;
  return ensemble.member(id).role === 'participant';
}

interface Around {
  readonly leader: MemberStatus | undefined;
  readonly votes: boolean;
  /** It says that it leads, and another does. */
  readonly old: boolean;
}
function memberView(ensemble: Ensemble, { id, pid, paused, status, digest }: Looked, { leader, votes, old }: Around) {
  const { file } = ensemble;
  const member = ensemble.member(id);
  const state = pid === undefined ? 'down' : paused ? 'paused' : status?.serving === true ? 'up' : 'starting';
  const view: MemberView = {
    id,
    role: old ? '-' : (status?.role ?? '-'),
    state,
    votes,
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
    faults: [...(old ? ['was succeeded'] : []), ...faultsOf(ensemble, id, status)],
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
