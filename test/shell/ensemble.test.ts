/** The `ensemble` command in front of ensembles that are made up: what is asked for, and how the answers look. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnsemblesOf } from '../../src/ensemble/local.ts';
import { toHuman } from '../../src/out/human.ts';
import { toJson } from '../../src/out/json.ts';
import { toPlain } from '../../src/out/plain.ts';
import { plainTheme } from '../../src/out/theme.ts';
import type { EnsembleView, LocalEnsembles, MemberView } from '../../src/shell/ensembles.ts';
import { rig } from './rig.ts';

const member = (id: number, more: Partial<MemberView>): MemberView => ({
  id,
  role: 'follower',
  state: 'up',
  votes: true,
  client: `127.0.0.1:${2180 + id}`,
  ports: { client: 2180 + id, quorum: 2280 + id, election: 2380 + id, admin: 2480 + id },
  pid: 40_210 + id,
  zxid: '0x200000001',
  lag: 0,
  clients: 0,
  digest: '00112233445566778899aabbccddeeff',
  faults: [],
  damage: [],
  directory: `/e/demo/member-${id}`,
  ...more,
});
const VIEW: EnsembleView = {
  name: 'demo',
  connect: '127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183',
  directory: '/e/demo',
  members: [
    member(1, { clients: 1 }),
    member(2, { role: 'leader' }),
    member(3, {
      role: '-',
      state: 'down',
      pid: undefined,
      zxid: undefined,
      lag: undefined,
      clients: undefined,
      digest: undefined,
      faults: ['killed 2s ago'],
    }),
  ],
  quorum: true,
  voters: 3,
  serving: 2,
  electionMs: 240.4,
};

/** A shell on made-up ensembles; `calls` says what was asked of them. */
function made(view: EnsembleView = VIEW) {
  const made = rig();
  const calls: string[] = [];
  const call = (what: string, ...args: unknown[]): void => void calls.push([what, ...args.map(String)].join(' '));
  const { split } = new EnsemblesOf({ root: '/nowhere', current: undefined, command: { program: '', args: [] } });
  const ids =
    (what: string) =>
    async (name: string | undefined, members: readonly string[]): Promise<readonly number[]> => {
      call(what, name, members);
      return members.map((each) => (each === 'leader' ? 2 : Number(each)));
    };
  const ensembles: LocalEnsembles = {
    names: () => ['demo'],
    split,
    list: async () => [{ name: 'demo', members: 3, up: 2, connect: VIEW.connect, created: 0, bytes: 2048 }],
    view: async (name, digest) => {
      call('view', name, digest === true);
      return view;
    },
    stop: ids('stop'),
    start: ids('start'),
    restart: ids('restart'),
    kill: ids('kill'),
    pause: ids('pause'),
    resume: ids('resume'),
    partition: async (name, groups, clients) => {
      call('partition', name, groups.join(' '), clients);
      return { groups: [[1, 2], [3]], majority: groups[0] === '1' ? undefined : 0 };
    },
    lag: async (name, members, ms) => {
      call('lag', name, members, ms);
      return members.map(Number);
    },
    heal: async (name) => call('heal', name),
    scale: async (name, voters, observers, { step }) => {
      call('scale', name, voters, observers);
      step('member 4 joins as participant');
      return view;
    },
    logs: async (name, members, last) => {
      call('logs', name, members, last);
      return [{ member: 1, text: 'a line\u001b[31m' }];
    },
    follow: () => {
      throw new Error('not followed here');
    },
    config: async (name, each) => {
      call('config', name, each);
      return 'tickTime=2000\n';
    },
    destroy: async (name) => call('destroy', name),
  };
  made.shell.ports.ensembles = async () => ensembles;
  return { ...made, calls };
}
const human = (found: ReturnType<typeof made>): string[] =>
  toHuman(found.shown.at(-1) as never, { theme: plainTheme(true), width: 120, now: 0 });

test('status as people, pipes and programs see it; its answer is the exit code', async () => {
  const found = made();
  assert.equal(await found.shell.run('ensemble status demo --digest'), 0);
  assert.deepEqual(human(found), [
    ' id  role      state  client          zxid         lag  conns    pid  faults         digest',
    '  1  follower  up     127.0.0.1:2181  0x200000001    0      1  40211  -              0011223344556677',
    '  2  leader    up     127.0.0.1:2182  0x200000001    0      0  40212  -              0011223344556677',
    '  3  -         DOWN   127.0.0.1:2183  -              -      -      -  killed 2s ago  -',
    ' quorum: yes (2 of 3)   leader elected in 240ms',
  ]);
  await found.shell.run('ensemble status');
  assert.deepEqual(
    String(Buffer.from(toPlain(found.shown.at(-1) as never))).split('\n')[2],
    '3\t-\tDOWN\t127.0.0.1:2183\t-\t-\t-\t-\tkilled 2s ago',
  );
  assert.equal(toJson(found.shown.at(-1) as never), VIEW);
  const without = made({ ...VIEW, quorum: false, serving: 1 });
  assert.equal(await without.shell.run('ensemble status'), 1);
  assert.match(human(without).at(-1) ?? '', /quorum: NO \(1 of 3\)/);
  assert.deepEqual(found.calls, ['view demo true', 'view undefined false']);
});

test('names, members and options reach the right place', async () => {
  const lines: [string, string, string?][] = [
    ['ensemble kill leader', 'kill undefined leader', 'killed member 2'],
    ['ensemble kill demo 1 3', 'kill demo 1,3', 'killed members 1, 3'],
    ['ensemble stop', 'stop undefined ', 'nothing to do: none was stopped'],
    ['ensemble start 3', 'start undefined 3', 'started member 3'],
    ['ensemble restart demo', 'restart demo '],
    ['ensemble pause 1', 'pause undefined 1', 'paused member 1'],
    ['ensemble resume', 'resume undefined '],
    [
      'ensemble partition 1,2 / 3',
      'partition undefined 1,2 / 3 false',
      '1,2 | 3   1,2 go on with a quorum.  heal: zoosh ensemble heal',
    ],
    [
      'ensemble partition demo 1 / 2 --clients',
      'partition demo 1 / 2 true',
      '1,2 | 3   no quorum on either side: writes will wait.  heal: zoosh ensemble heal',
    ],
    ['ensemble lag 2 100ms', 'lag undefined 2 100', '100ms of lag each way at 2'],
    ['ensemble lag demo 1 2 1s', 'lag demo 1,2 1000'],
    ['ensemble lag 2 0', 'lag undefined 2 0', 'no lag at 2'],
    ['ensemble heal', 'heal undefined', 'healed: no faults in force'],
    ['ensemble scale 5 --observers 1', 'scale undefined 5 1'],
    ['ensemble scale demo 3', 'scale demo 3 undefined'],
    ['ensemble logs', 'logs undefined  200', '1 | a line\\u001b[31m'],
    ['ensemble logs demo 2 -n 5', 'logs demo 2 5'],
    ['ensemble config 1', 'config undefined 1', 'tickTime=2000'],
    ['ensemble env demo', 'view demo false'],
    ['ensemble destroy demo', 'destroy demo', 'destroyed demo'],
  ];
  for (const [line, call, text] of lines) {
    const found = made();
    assert.equal(await found.shell.run(line), 0, `${line}: ${found.told.map(({ failure }) => failure.message)}`);
    assert.equal(found.calls.at(-1), call, line);
    if (text !== undefined) assert.equal(human(found)[0], text, line);
  }
});

test('what does not fit is refused before anything is asked', async () => {
  for (const line of [
    'ensemble',
    'ensemble frobnicate',
    'ensemble list demo',
    'ensemble status demo 3',
    'ensemble heal demo 3',
    'ensemble kill 1 -f',
    'ensemble status --clients',
    'ensemble logs --watch 1s',
    'ensemble logs -n -1',
    'ensemble lag 2',
    'ensemble lag 2 soon',
    'ensemble scale',
    'ensemble scale 3 5',
    'ensemble scale demo many',
    'ensemble config',
    'ensemble destroy demo 1',
  ]) {
    const found = made();
    assert.equal(await found.shell.run(line), 2, line);
    assert.deepEqual(
      found.calls.filter((each) => !each.startsWith('view')),
      [],
      line,
    );
    assert.equal(found.sessions, 0, 'no session is begun for it');
  }
});

test('nothing is destroyed before it was allowed', async () => {
  const found = made();
  found.shell.ports.confirm = async (plan) => {
    assert.equal(plan.always, true);
    assert.deepEqual(plan.details, ['3 members, 2 running, with all data in /e/demo']);
    throw new Error('no');
  };
  assert.notEqual(await found.shell.run('ensemble destroy demo'), 0);
  assert.ok(!found.calls.some((each) => each.startsWith('destroy')));
});
