/** Three servers that are made up, and an ensemble of this machine, for the commands that show them. */
import { type Client, ConnectError, type Stat } from '../../src/client/api.ts';
import type { EnsembleView, LocalEnsembles, MemberView } from '../../src/shell/ensembles.ts';
import { NOW, type Stage } from './stage.ts';

const CONFIG = `server.1=zk1:2888:3888:participant;0.0.0.0:2181
server.2=zk2:2888:3888:participant;0.0.0.0:2181
server.3=zk3:2888:3888:participant;0.0.0.0:2181
version=100000000`;
const STAT = {
  ...{ czxid: 0n, mzxid: 0n, ctime: 0, mtime: NOW, version: -1, cversion: 0, aversion: -1, ephemeralOwner: 0n },
  ...{ dataLength: CONFIG.length, numChildren: 0, pzxid: 0n },
} as Stat;

/** The session's servers are zk1, zk2, which leads, and zk3, which is down. */
export function three({ shell, answers }: Stage): void {
  answers({
    getConfig: async () => ({ data: Buffer.from(CONFIG), stat: STAT }),
    reconfig: async () => ({ data: Buffer.from(CONFIG), stat: STAT }),
  });
  shell.ports.session.openAt = async (server) => {
    if (server.startsWith('zk3')) throw new ConnectError([{ host: server, reason: 'refused' }], 3000);
    const sessionId = server.startsWith('zk1') ? 0x1_0000001n : 0x2_0000001n;
    return { sessionId, on: () => () => {}, close: async () => {} } as unknown as Client;
  };
  // an AdminServer of theirs is not looked for in the network
  globalThis.fetch = () => Promise.reject(new Error('refused'));
  let asked = 0;
  shell.ports.session.word = async (word, { host }) => {
    if (host === 'zk3') throw new Error('refused');
    asked++;
    if (word === 'srvr')
      return `Zookeeper version: 3.9.3-zoosh, built on 2026-01-01 00:00 UTC
Latency min/avg/max: 0/1.4/${host === 'zk1' ? 18 : 7}
Received: ${12_000 + 250 * asked}
Sent: ${12_000 + 250 * asked}
Connections: ${host === 'zk1' ? 5 : 1204}
Outstanding: 0
Zxid: 0x3000004${host === 'zk1' ? 'b0' : 'b2'}
Mode: ${host === 'zk1' ? 'follower' : 'leader'}
Node count: 48112
`;
    if (word === 'mntr') return 'zk_uptime\t273600000\nzk_watch_count\t12\nzk_approximate_data_size\t2411724\n';
    if (word === 'cons')
      return ` /10.0.0.9:40210[1](queued=0,recved=9,sent=9,sid=0x${host === 'zk1' ? 1 : 2}0000001,est=${Date.now() + 12},to=30000)\n`;
    if (word === 'conf') return 'clientPort=2181\ndataDir=/var/lib/zookeeper/version-2\n';
    if (word === 'dirs') return 'datadir_size: 3145728\nlogdir_size: 67108888\n';
    return 'imok';
  };
}

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
  clients: id === 1 ? 2 : 0,
  digest: '00112233445566778899aabbccddeeff',
  faults: [],
  damage: [],
  directory: `/home/ann/.zoosh/ensembles/demo/member-${id}`,
  ...more,
});
const VIEW: EnsembleView = {
  name: 'demo',
  connect: 'localhost:2181,localhost:2182,localhost:2183',
  directory: '/home/ann/.zoosh/ensembles/demo',
  members: [
    member(1, {}),
    member(2, { role: 'leader', faults: ['lag 100ms'] }),
    member(3, {
      ...{ role: '-', state: 'down', pid: undefined, zxid: undefined, lag: undefined, clients: undefined },
      ...{ digest: undefined, faults: ['killed 2s ago'] },
    }),
  ],
  quorum: true,
  voters: 3,
  serving: 2,
  electionMs: 240.4,
};

/** An ensemble `demo` on this machine. */
export function demo({ ports }: Stage, otherwise: Partial<LocalEnsembles> = {}): void {
  const some = async (_name: string | undefined, members: readonly string[]): Promise<readonly number[]> =>
    members.map((each) => (each === 'leader' ? 2 : Number(each)));
  const ensembles: Partial<LocalEnsembles> = {
    names: () => ['demo'],
    split: (words) => (words[0] === 'demo' ? { name: 'demo', rest: words.slice(1) } : { name: undefined, rest: words }),
    list: async () => [
      { name: 'demo', members: 3, up: 2, connect: VIEW.connect, created: Date.now() - 7_200_000, bytes: 3_355_443 },
    ],
    view: async () => VIEW,
    stop: some,
    start: some,
    restart: some,
    kill: some,
    pause: some,
    resume: some,
    lag: some,
    partition: async () => ({ groups: [[1, 2], [3]], majority: 0 }),
    heal: async () => {},
    scale: async (_name, _voters, _observers, { step }) => {
      step('member 4 joins as a participant');
      return VIEW;
    },
    logs: async () => [
      { member: 1, text: '15:04:05.120 INFO  following server 2 in epoch 2' },
      { member: 2, text: '15:04:05.131 INFO  leading in epoch 2 with a quorum of 1, 2' },
    ],
    config: async () => 'tickTime=2000\ninitLimit=10\n',
    destroy: async () => {},
    ...otherwise,
  };
  ports({ ensembles: async () => ensembles as LocalEnsembles });
}
