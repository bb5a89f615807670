import { setTimeout as pause } from 'node:timers/promises';
import { type CommandContext, command } from '../shell/command.ts';
import type { EnsembleView, LocalEnsembles, MemberView } from '../shell/ensembles.ts';
import { usage } from '../shell/failure.ts';
import { goTo } from '../shell/go-to.ts';
import type { Output } from '../shell/output.ts';
import { parseDuration, parseNumber, plural, showAge, showBytes } from '../shell/units.ts';

const ACTIONS = [
  'list',
  'status',
  'stop',
  'start',
  'restart',
  'kill',
  'pause',
  'resume',
  'partition',
  'lag',
  'heal',
  'scale',
  'logs',
  'env',
  'shell',
  'config',
  'destroy',
] as const;
type Action = (typeof ACTIONS)[number];

/** What was said besides the action. */
interface Said {
  readonly name: string | undefined;
  readonly rest: readonly string[];
  readonly follow: boolean;
  readonly watch: number | undefined;
  readonly clients: boolean;
  readonly digest: boolean;
  readonly observers: number | undefined;
  readonly lines: number;
}
type Act = (all: LocalEnsembles, said: Said, context: CommandContext) => Promise<Output | undefined>;

/** Ensembles on this machine, made by `zoosh start ensemble`. */
export default command({
  name: 'ensemble',
  group: 'server',
  about: 'look at an ensemble on this machine, hurt it, heal it, end it',
  risk: 'read', // nothing of it goes to the servers this shell is connected to
  dryRun: false,
  params: {
    action: { kind: 'enum', about: 'what to do', values: ACTIONS },
    words: {
      kind: 'ensembleWord',
      about: 'the ensemble, unless only one runs; then members: 1, leader, follower, observer, random',
      placeholder: 'WORD',
      many: true,
      optional: true,
    },
    follow: { kind: 'flag', short: '-f', about: 'logs: go on with what comes' },
    lines: { kind: 'number', short: '-n', about: 'logs: how many lines; 200 unless said' },
    watch: { kind: 'duration', long: '--watch', about: 'status: again and again', placeholder: 'DUR' },
    digest: { kind: 'flag', long: '--digest', about: "status: a digest of each member's tree" },
    clients: { kind: 'flag', long: '--clients', about: 'partition: also hang up on the clients of the minority' },
    observers: { kind: 'number', long: '--observers', about: 'scale: how many observers', placeholder: 'M' },
  },
  examples: [
    ['ensemble list', 'all of this user'],
    ['ensemble status demo', 'its members: who leads, who is behind, who is down'],
    ['ensemble kill leader', 'SIGKILL; the others elect a new one'],
    ['ensemble start 3', 'member 3 again'],
    ['ensemble partition 1,2 / 3', '3 and the others no longer hear each other'],
    ['ensemble lag 2 100ms', 'all that member 2 says and hears is later'],
    ['ensemble heal', 'no faults any more'],
    ['ensemble pause leader', 'SIGSTOP; resume lets it go on'],
    ['ensemble scale 5', 'two more voters, one at a time'],
    ['ensemble logs -f', 'what the members log, merged'],
    ['ensemble destroy demo', 'processes and files'],
  ],
  exits: [1, 30, 31, 40, 41, 42, 43, 44, 45],
  notes: [
    'zoosh start ensemble makes one.',
    'A partition keeps what is sent, as TCP does, and delivers it late when it heals; members on no side hear',
    'everyone. It and lag are made inside the servers. kill and pause are signals to real processes.',
    'status answers no (1) while there is no quorum: it asks for a sync, which a quorum confirms.',
  ],
  isEndless: ({ follow, watch }) => follow || watch !== undefined,
  async run(values, context): Promise<Output | undefined> {
    const { action, words } = values;
    if ((values.observers ?? 0) < 0) throw usage('ensemble scale: --observers must not be negative');
    const all = await context.ensembles();
    const { name, rest } = all.split(words);
    const lines = values.lines ?? 200;
    const { follow, watch, clients, digest, observers } = values;
    for (const [option, given, fits] of [
      ['-f', follow, action === 'logs'],
      ['-n', values.lines !== undefined, action === 'logs'],
      ['--watch', watch !== undefined, action === 'status'],
      ['--digest', digest, action === 'status'],
      ['--clients', clients, action === 'partition'],
      ['--observers', observers !== undefined, action === 'scale'],
    ] as const)
      if (given && !fits) throw usage(`ensemble ${action} does not take ${option}`);
    return ACTS[action as Action](all, { name, rest, follow, watch, clients, digest, observers, lines }, context);
  },
});

const nothingMore = ({ rest }: Said, action: Action): void => {
  if (rest.length > 0) throw usage(`ensemble ${action}: one word too many: ${rest[0]}`);
};

const ACTS: Readonly<Record<Action, Act>> = {
  async list(all, said, context) {
    if (said.name !== undefined) throw usage(`ensemble list: one word too many: ${said.name}`);
    nothingMore(said, 'list');
    const found = await all.list();
    for (const { name, problem } of found)
      if (problem !== undefined) context.warn(`${problem}; zoosh ensemble destroy ${name} removes that ensemble`);
    return {
      type: 'table',
      columns: [
        { name: 'name' },
        { name: 'members', right: true },
        { name: 'up', right: true },
        { name: 'clients connect to' },
        { name: 'made', drop: 2 },
        { name: 'size', right: true, drop: 1 },
      ],
      rows: found.map(({ name, members, up, connect, created, bytes, problem }) => [
        name,
        problem === undefined ? String(members) : '?',
        problem === undefined ? String(up) : '?',
        problem === undefined ? connect : '?',
        showAge(created, Date.now()),
        showBytes(bytes),
      ]),
      json: found.map((each) => ({ ...each, created: new Date(each.created).toISOString() })),
    };
  },
  async status(all, said, context) {
    nothingMore(said, 'status');
    const look = async (): Promise<Output> => statusOf(await all.view(said.name, said.digest), said.digest);
    if (said.watch !== undefined && said.watch < 100) throw usage('ensemble status: --watch is at least 100ms');
    while (said.watch !== undefined) {
      context.redraw(await look());
      await pause(said.watch, undefined, { signal: context.signal });
    }
    return look();
  },
  stop: async (all, { name, rest }, { signal }) => done('stopped', await all.stop(name, rest, signal)),
  start: async (all, { name, rest }, context) =>
    done('started', await all.start(name, rest, context.signal, (text) => context.warn(text))),
  restart: async (all, { name, rest }, context) =>
    done('restarted', await all.restart(name, rest, context.signal, (text) => context.warn(text))),
  kill: async (all, { name, rest }) => done('killed', await all.kill(name, rest)),
  pause: async (all, { name, rest }) => done('paused', await all.pause(name, rest)),
  resume: async (all, { name, rest }) => done('resumed', await all.resume(name, rest)),
  async partition(all, { name, rest, clients }, { interactive }) {
    const { groups, majority } = await all.partition(name, rest, clients);
    const shown = groups.map((group) => group.join(',')).join(' | ');
    const found = majority === undefined ? undefined : (groups[majority] as readonly number[]).join(',');
    const what =
      found === undefined
        ? 'no quorum on either side: writes will wait.'
        : `${found} ${found.includes(',') ? 'go' : 'goes'} on with a quorum.`;
    return {
      type: 'done',
      text: `${shown}   ${what}  heal: ${interactive ? '' : 'zoosh '}ensemble heal`,
      json: { groups, quorum: majority === undefined ? null : groups[majority] },
    };
  },
  async lag(all, { name, rest }) {
    const text = rest.at(-1);
    if (text === undefined || rest.length < 2) throw usage('ensemble lag: say which member, and how much: lag 2 100ms');
    const ms = lagOf(text);
    const ids = await all.lag(name, rest.slice(0, -1), ms);
    return {
      type: 'done',
      text: ms === 0 ? `no lag at ${ids.join(', ')}` : `${text} of lag each way at ${ids.join(', ')}`,
      json: { members: ids, lagMs: ms },
    };
  },
  async heal(all, said) {
    nothingMore(said, 'heal');
    await all.heal(said.name);
    return { type: 'done', text: 'healed: no faults in force', json: { healed: true } };
  },
  async scale(all, { name, rest, observers }, context) {
    const [text, more] = rest;
    if (more !== undefined && /^\d+$/.test(text ?? '') && all.names().includes(more))
      throw usage('ensemble scale: the name comes first', `ensemble scale ${more} ${text}`);
    if (text === undefined || more !== undefined) throw usage('ensemble scale: say how many voters: scale 5');
    const voters = parseNumber(text, 'scale: N');
    const view = await all.scale(name, voters, observers, {
      signal: context.signal,
      step: (sentence) => context.warn(sentence),
    });
    return statusOf(view, false);
  },
  async logs(all, { name, rest, follow, lines }, context) {
    if (lines < 0) throw usage('logs: -n must not be negative');
    const shown = (found: readonly { member: number; text: string }[]): Output => ({
      type: 'lines',
      lines: found.map(({ member, text }) => ({ label: String(member), text })),
    });
    const last = shown(await all.logs(name, rest, lines));
    if (!follow) return last;
    context.show(last);
    for await (const line of all.follow(name, rest, context.signal)) context.show(shown([line]));
    context.signal.throwIfAborted();
    return undefined;
  },
  async env(all, said) {
    nothingMore(said, 'env');
    const { connect } = await all.view(said.name);
    const value = { ZOOSH_SERVER: connect, ZK_SERVER: connect, ZOOKEEPER_CONNECT: connect };
    const text = Object.entries(value)
      .map(([key, each]) => `export ${key}=${each}`)
      .join('\n');
    return { type: 'value', value, text };
  },
  async shell(all, said, context) {
    nothingMore(said, 'shell');
    const { connect } = await all.view(said.name);
    await goTo(connect, context);
    return { type: 'done', text: `connected to ${connect}`, json: { connect } };
  },
  async config(all, { name, rest }) {
    const [member, more] = rest;
    if (member === undefined || more !== undefined) throw usage('ensemble config: say which member: config 1');
    const text = await all.config(name, member);
    return { type: 'value', value: { text }, text: text.trimEnd() };
  },
  async destroy(all, said, context) {
    nothingMore(said, 'destroy');
    const { name, details } = await whatGoes(all, said.name);
    await context.confirm({ what: `destroy the ensemble ${name}`, path: name, details, always: true });
    await all.destroy(name);
    return { type: 'done', text: `destroyed ${name}`, json: { destroyed: name } };
  },
};

/** What a destroy removes, as it is told before. One whose ensemble.json is of no use can be removed by its name. */
async function whatGoes(all: LocalEnsembles, said: string | undefined): Promise<{ name: string; details: string[] }> {
  try {
    const { name, directory, members } = await all.view(said);
    const alive = members.filter(({ pid }) => pid !== undefined).length;
    return { name, details: [`${plural(members.length, 'member')}, ${alive} running, with all data in ${directory}`] };
  } catch (error) {
    const problem = (await all.list()).find(({ name, problem }) => name === said && problem !== undefined)?.problem;
    if (said === undefined || problem === undefined) throw error;
    return { name: said, details: [`${problem}; what lies in its folder goes, members that lie elsewhere stay`] };
  }
}

/** What a member's control socket takes. */
const MOST_LAG_MS = 600_000;
/** @throws Failure (2) */
function lagOf(text: string): number {
  const hint = 'write 100ms, 5s or 2m, at most 10m; a bare number is ms';
  if (!/^\d+(?:\.\d+)?(?:ms|s|m|h|d)?$/.test(text))
    throw usage(`ensemble lag: the delay must be a duration, not ${text === '' ? 'empty' : text}`, hint);
  const ms = parseDuration(text, 'ensemble lag: the delay');
  if (ms > MOST_LAG_MS) throw usage(`ensemble lag: the delay is at most 10m, not ${text}`, hint);
  return ms;
}

const done = (what: string, ids: readonly number[]): Output => ({
  type: 'done',
  text:
    ids.length === 0
      ? `nothing to do: none was ${what}`
      : `${what} member${ids.length === 1 ? '' : 's'} ${ids.join(', ')}`,
  json: { [what]: ids },
});

const dash = (value: string | number | undefined): string => (value === undefined ? '-' : String(value));
function statusOf(view: EnsembleView, withDigest: boolean): Output {
  const { members, quorum, serving, voters, electionMs } = view;
  const row = (member: MemberView): string[] => [
    String(member.id),
    member.role,
    member.state === 'down' ? 'DOWN' : member.state,
    member.client,
    dash(member.zxid),
    dash(member.lag),
    dash(member.clients),
    dash(member.pid),
    member.faults.length === 0 ? '-' : member.faults.join(', '),
    ...(withDigest ? [dash(member.digest?.slice(0, 16))] : []),
  ];
  const elected = electionMs === undefined ? '' : `   leader elected in ${Math.round(electionMs)}ms`;
  return {
    type: 'table',
    exit: quorum ? 0 : 1,
    columns: [
      { name: 'id', right: true },
      { name: 'role' },
      { name: 'state' },
      { name: 'client', drop: 5 },
      { name: 'zxid', drop: 4 },
      { name: 'lag', right: true },
      { name: 'conns', right: true, drop: 3 },
      { name: 'pid', right: true, drop: 2 },
      { name: 'faults' },
      ...(withDigest ? [{ name: 'digest', drop: 1 }] : []),
    ],
    rows: members.map(row),
    json: view,
    foot: [
      quorum
        ? `quorum: yes (${serving} of ${voters})${elected}`
        : `quorum: NO (${serving} of ${voters}): ${serving > voters / 2 ? 'no quorum answers the leader, so ' : ''}nothing can be written`,
      ...members.flatMap(({ id, damage }) => damage.map((sentence) => `server ${id}: ${sentence}`)),
    ],
  };
}
