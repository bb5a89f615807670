import { mkdirSync, rmSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeeperError } from '../base/errors.ts';
import { makeFolders } from '../base/make-folders.ts';
import { connect } from '../client/connect.ts';
import type { EnsembleView, ScaleHow } from '../shell/ensembles.ts';
import { usage } from '../shell/failure.ts';
import { Ensemble } from './ensemble.ts';
import { controlPath, type MemberFile, MOST_MEMBERS, makeMember, memberFolder, portsOf, serverLine } from './layout.ts';
import { takenPort } from './ports.ts';
import type { MemberCommand } from './process.ts';
import { viewOf } from './status.ts';

export interface ScaleOptions extends ScaleHow {
  readonly command: MemberCommand;
  /** For each step. */
  readonly timeoutMs: number;
}

/**
 * Adds and removes members one at a time, by reconfiguration, while the ensemble serves: a new one first follows until it
 * holds what the leader holds; of those that go, observers and the highest ids go first, the leader last.
 * @throws Failure; what was done before it stays done
 */
export async function scale(
  ensemble: Ensemble,
  voters: number,
  observers: number | undefined,
  options: ScaleOptions,
): Promise<EnsembleView> {
  const { path } = ensemble.folder;
  const members = await membersNow(ensemble, options);
  const wanted = {
    participant: voters,
    observer: observers ?? members.filter(({ role }) => role === 'observer').length,
  };
  if (voters < 1 || wanted.observer < 0 || voters + wanted.observer > MOST_MEMBERS)
    throw usage(`an ensemble has 1 to ${MOST_MEMBERS} members, at least one of which votes`);
  ensemble.folder.write({ ...ensemble.file, members });
  for (const role of ['participant', 'observer'] as const) {
    const count = (): number => new Ensemble(path).file.members.filter((each) => each.role === role).length;
    while (count() < wanted[role]) await add(new Ensemble(path), role, options);
    while (count() > wanted[role]) await remove(new Ensemble(path), role, options);
  }
  return viewOf(new Ensemble(path));
}

/** Whoever is of the ensemble, in the role that the servers give him: reconfig by hand changes it, and tells nobody else. */
async function membersNow(ensemble: Ensemble, { signal, timeoutMs }: ScaleOptions): Promise<readonly MemberFile[]> {
  await using client = await connect(ensemble.connect, { signal, connectTimeoutMs: timeoutMs });
  const text = (await client.getConfig({ signal })).data?.toString() ?? '';
  const voting = new Set([...text.matchAll(/^server\.(\d+)=.*:participant\b/gm)].map(([, id]) => Number(id)));
  if (voting.size === 0) return ensemble.file.members;
  return ensemble.file.members.map((each) => ({ ...each, role: voting.has(each.id) ? 'participant' : 'observer' }));
}

async function add(before: Ensemble, role: MemberFile['role'], options: ScaleOptions): Promise<void> {
  const { file, folder } = before;
  let id = 1;
  while (before.ids.includes(id)) id++;
  const used = new Set(file.members.flatMap((each) => Object.values(portsOf(each))));
  let client = file.basePort + id - 1;
  while ((await takenPort(file.host, client, 1, used)) !== undefined) client++;
  const member: MemberFile = { id, role, client, control: controlPath(file, id) };
  const after = { ...file, members: [...file.members, member].sort((a, b) => a.id - b.id) };
  options.step(`member ${id} joins as ${role}`);
  if (file.sockets !== undefined) makeFolders(file.sockets, { mkdirSync, statSync }, 0o700);
  // it begins as a learner that votes for nothing: a voter it becomes by the reconfiguration
  makeMember(
    { ...file, members: [...file.members, { ...member, role: 'observer' }] },
    { ...member, role: 'observer' },
    folder,
  );
  folder.write(after);
  const joined = new Ensemble(folder.path);
  try {
    await joined.bringUp([id], { ...options, leash: false });
    await reconfigure(joined, { joining: serverLine(file.host, member) }, options);
  } catch (error) {
    await joined.end([id], 'SIGKILL');
    folder.write(file);
    rmSync(memberFolder(file, id), { recursive: true, force: true });
    throw error;
  }
}

async function remove(before: Ensemble, role: MemberFile['role'], options: ScaleOptions): Promise<void> {
  const { file, folder } = before;
  const { members } = await viewOf(before);
  const leaderLast = (id: number): number => (members.find((each) => each.id === id)?.role === 'leader' ? -1 : id);
  const gone = file.members.filter((each) => each.role === role).sort((a, b) => leaderLast(b.id) - leaderLast(a.id))[0];
  if (gone === undefined) return;
  options.step(`member ${gone.id} leaves`);
  await reconfigure(before, { leaving: String(gone.id) }, options);
  await settled(before, options);
  await before.end([gone.id], 'SIGTERM');
  folder.write({ ...file, members: file.members.filter(({ id }) => id !== gone.id) });
  rmSync(memberFolder(file, gone.id), { recursive: true, force: true });
}

/** Until a quorum knows that the change is committed: before that the member that leaves may be needed (foundations.md 13.7). */
async function settled(ensemble: Ensemble, { signal, timeoutMs }: ScaleOptions): Promise<void> {
  for (const end = performance.now() + timeoutMs; performance.now() < end; ) {
    for (const { id } of ensemble.file.members) {
      const status = await ensemble.ask(id, { op: 'status' }).catch(() => undefined);
      if (status?.role === 'leader' && status.settled) return;
    }
    await sleep(RETRY_MS, undefined, { signal });
  }
  throw new Error('no leader says that the change of members is done; nothing was removed');
}

/** One change of the configuration; tried again while another is in progress or the new member is not in step yet. */
async function reconfigure(
  ensemble: Ensemble,
  change: { readonly joining?: string; readonly leaving?: string },
  { signal, timeoutMs }: ScaleOptions,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  const auth = [{ scheme: 'digest', auth: `super:${ensemble.folder.superPassword}` }];
  await using client = await connect(ensemble.connect, { auth, signal, connectTimeoutMs: timeoutMs });
  for (;;)
    try {
      await client.reconfig(change, { signal });
      return;
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error;
      const passes = ['NewConfigNoQuorum', 'ReconfigInProgress', 'ConnectionLoss'].includes(error.code);
      if (!passes || performance.now() > end) throw error;
      await sleep(RETRY_MS, undefined, { signal });
    }
}
const RETRY_MS = 200;
