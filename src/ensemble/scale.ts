import { mkdirSync, rmSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolders } from '../base/make-folders.ts';
import { connect } from '../client/connect.ts';
import type { EnsembleView, ScaleHow } from '../shell/ensembles.ts';
import { Failure, usage } from '../shell/failure.ts';
import { Ensemble } from './ensemble.ts';
import { askInForce, type InForce } from './in-force.ts';
import { controlPath, type MemberFile, MOST_MEMBERS, makeMember, memberFolder, portsOf, serverLine } from './layout.ts';
import { takenPort } from './ports.ts';
import type { MemberCommand } from './process.ts';
import { type Change, reconfigure, Unsettled } from './reconfigure.ts';
import { lockScale } from './scale-lock.ts';
import { viewOf } from './status.ts';

export interface ScaleOptions extends ScaleHow {
  readonly command: MemberCommand;
  /** For each step. */
  readonly timeoutMs: number;
}

const RETRY_MS = 200;
const ROLES = ['participant', 'observer'] as const;

/**
 * Adds and removes members one at a time, by reconfiguration, while the ensemble serves: a new one first follows until it
 * holds what the leader holds; of those that go, observers and the highest ids go first, the leader last. Members that the
 * config in force does not list, as a scale that was killed leaves them, are taken up again or removed. Wherever it is
 * interrupted, no member is removed that the servers may count.
 * @throws Failure; what was done before it stays done
 */
export async function scale(
  ensemble: Ensemble,
  voters: number,
  observers: number | undefined,
  options: ScaleOptions,
): Promise<EnsembleView> {
  const { folder, name, file } = ensemble;
  if (file.settings.some((text) => text.includes('superDigest')))
    throw usage(
      `${name} has a superDigest of its own (--set), so that scale cannot change its members`,
      'reconfig does, after addauth digest super:PASSWORD',
    );
  using _lock = lockScale(folder.path, name);
  const inForce = await inForceOf(ensemble, options);
  const members = file.members.map((each) => ({ ...each, role: inForce?.roles.get(each.id) ?? each.role }));
  const listed = members.filter(({ id }) => inForce === undefined || inForce.roles.has(id));
  const wanted = {
    participant: voters,
    observer: observers ?? listed.filter(({ role }) => role === 'observer').length,
  };
  if (voters < 1 || wanted.observer < 0 || voters + wanted.observer > MOST_MEMBERS)
    throw usage(`an ensemble has 1 to ${MOST_MEMBERS} members, at least one of which votes`);
  folder.write({ ...file, members });
  const now = (): Ensemble => new Ensemble(folder.path);
  let strays = members.filter((each) => !listed.includes(each)).map(({ id }) => id);
  for (const id of strays)
    if (!(await isServing(now(), id))) {
      await drop(now(), id, options);
      strays = strays.filter((each) => each !== id);
    }
  try {
    for (const role of ROLES) {
      const count = (): number =>
        now().file.members.filter((each) => each.role === role && !strays.includes(each.id)).length;
      while (count() < wanted[role]) {
        const [stray] = strays;
        if (stray === undefined) await add(now(), role, inForce, options);
        else await takeUp(now(), stray, role, options);
        strays = strays.slice(1);
        options.signal.throwIfAborted();
      }
      while (count() > wanted[role]) {
        await remove(now(), role, strays, options);
        options.signal.throwIfAborted();
      }
    }
    for (const id of strays) await drop(now(), id, options);
  } catch (error) {
    if (options.signal.aborted) sayWhatIs(now(), listed.length, options);
    throw error;
  }
  return viewOf(now());
}

/** What is done stays done: who interrupts is told so. */
function sayWhatIs({ name, file }: Ensemble, before: number, { step }: ScaleOptions): void {
  if (file.members.length === before) return;
  const ids = (role: MemberFile['role']): string =>
    file.members
      .filter((each) => each.role === role)
      .map(({ id }) => id)
      .join(' ');
  const seen = ids('observer');
  step(
    `interrupted: ${name} has voters ${ids('participant')}${seen === '' ? '' : `, observers ${seen}`} now; zoosh ensemble scale ${name} N goes on`,
  );
}

/** Whoever is of the ensemble, by the servers: reconfig by hand changes it, and tells nobody else. */
async function inForceOf(ensemble: Ensemble, { signal, timeoutMs }: ScaleOptions): Promise<InForce | undefined> {
  await using client = await connect(ensemble.connect, { signal, connectTimeoutMs: timeoutMs });
  return await askInForce(client, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
}

const isServing = (ensemble: Ensemble, id: number): Promise<boolean> =>
  ensemble.process(id).find()?.paused === false
    ? ensemble.ask(id, { op: 'status' }).then(
        ({ serving }) => serving,
        () => false,
      )
    : Promise.resolve(false);

async function add(
  before: Ensemble,
  role: MemberFile['role'],
  inForce: InForce | undefined,
  options: ScaleOptions,
): Promise<void> {
  const { file, folder } = before;
  let id = 1;
  // the servers may list some that are none of this machine's
  while (before.ids.includes(id) || inForce?.roles.has(id) === true) id++;
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
    await reconfigure(joined, joining(file.host, member), options);
  } catch (error) {
    if (error instanceof Unsettled) throw left(joined, id, 'joined', error, options);
    await joined.end([id], 'SIGKILL');
    folder.write(file);
    rmSync(memberFolder(file, id), { recursive: true, force: true });
    throw error;
  }
}

const joining = (host: string, member: MemberFile): Change => ({
  words: { joining: serverLine(host, member) },
  isMade: ({ roles }) => roles.get(member.id) === member.role,
});

/** Makes a member of one that runs and that the servers do not list. */
async function takeUp(before: Ensemble, id: number, role: MemberFile['role'], options: ScaleOptions): Promise<void> {
  const { file, folder } = before;
  const member = { ...before.member(id), role };
  options.step(`member ${id}, which runs and is none of the ensemble, joins as ${role}`);
  try {
    await reconfigure(before, joining(file.host, member), options);
  } catch (error) {
    throw error instanceof Unsettled ? left(before, id, 'joined', error, options) : error;
  }
  folder.write({ ...file, members: file.members.map((each) => (each.id === id ? member : each)) });
}

/** Says that a member stays as it is, since nobody knows what it is to the others. */
function left(
  { name }: Ensemble,
  id: number,
  what: 'joined' | 'left',
  error: Unsettled,
  { step }: ScaleOptions,
): unknown {
  step(
    `it is not known whether member ${id} has ${what}, so it runs on with its files: zoosh ensemble status ${name} shows it, zoosh ensemble scale ${name} N finishes it or takes it back`,
  );
  return error.cause;
}

async function remove(
  before: Ensemble,
  role: MemberFile['role'],
  strays: readonly number[],
  options: ScaleOptions,
): Promise<void> {
  const { file } = before;
  const { members } = await viewOf(before);
  const leaderLast = (id: number): number => (members.find((each) => each.id === id)?.role === 'leader' ? -1 : id);
  const gone = file.members
    .filter((each) => each.role === role && !strays.includes(each.id))
    .sort((a, b) => leaderLast(b.id) - leaderLast(a.id))[0];
  if (gone === undefined) return;
  options.step(`member ${gone.id} leaves`);
  await leave(before, gone.id, ({ roles }) => !roles.has(gone.id), options);
}

/** Removes one that the servers do not list. A change that does not matter comes first: what may still be under way to list it is void then. */
async function drop(before: Ensemble, id: number, options: ScaleOptions): Promise<void> {
  options.step(`member ${id}, which is none of the ensemble, is removed`);
  await leave(before, id, ({ roles, version }, first) => version !== first.version && !roles.has(id), options);
}

async function leave(before: Ensemble, id: number, isMade: Change['isMade'], options: ScaleOptions): Promise<void> {
  const { file, folder } = before;
  try {
    await reconfigure(before, { words: { leaving: String(id) }, isMade }, options);
  } catch (error) {
    throw error instanceof Unsettled ? left(before, id, 'left', error, options) : error;
  }
  await settled(before, id, options);
  await before.end([id], 'SIGTERM');
  folder.write({ ...file, members: file.members.filter((each) => each.id !== id) });
  rmSync(memberFolder(file, id), { recursive: true, force: true });
}

/** Until a quorum knows that the change is committed: before that the member that leaves may be needed (foundations.md 13.7). */
async function settled(ensemble: Ensemble, gone: number, { signal, timeoutMs }: ScaleOptions): Promise<void> {
  for (const end = performance.now() + timeoutMs; performance.now() < end; ) {
    for (const { id } of ensemble.file.members) {
      const status = await ensemble.ask(id, { op: 'status' }).catch(() => undefined);
      if (status?.role === 'leader' && status.settled) return;
    }
    await sleep(RETRY_MS, undefined, { signal });
  }
  throw new Failure(
    45,
    'NotSettled',
    `member ${gone} has left ${ensemble.name}, but no leader said in ${timeoutMs / 1000}s that a quorum knows it: it runs on with its files`,
    { hint: `zoosh ensemble scale ${ensemble.name} N removes it once they answer` },
  );
}
