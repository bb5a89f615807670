/**
 * Every four-letter word and every admin command of ours beside those of Debian's ZooKeeper, live, role by role: the same
 * names in the same form, and where a value follows from what was done the same value. What differs is named in
 * docs/compatibility.md, and no rule here excuses more than it must.
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { connect, fourLetterWord } from '../../src/index.ts';
import { COUNTED, OF_MEMBERS } from '../../src/runtime/tally.ts';
import { form, keysOf, leftOut, lines, plural } from '../e2e/answers.ts';
import { Members } from '../e2e/members.ts';
import { ServerProcess } from '../e2e/process.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ApacheMembers } from './apache-members.ts';

const HOST = '127.0.0.1';
const LINES = [
  ...['tickTime=500', 'maxSessionTimeout=60000', 'maxClientCnxns=33', '4lw.commands.whitelist=*'],
  ...['admin.enableServer=true', 'clientPortListenBacklog=77'],
  // who leads goes on leading, though a machine stands still for seconds
  'syncLimit=60',
  // without it the version in the configuration of an ensemble is 0 there
  'reconfigEnabled=true',
  'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=',
];
const OURS = ['admin.serverAddress=127.0.0.1', 'admin.serverPort=0'];
const WORDS = 'ruok srvr stat cons conf dirs dump envi mntr wchs wchc wchp isro hash gtmk crst srst'.split(' ');

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}
/** One server, ours or theirs. */
interface Side {
  readonly port: number;
  readonly adminPort: number;
}
const word = ({ port }: Side, text: string): Promise<string> =>
  fourLetterWord(text, { host: HOST, port, timeoutMs: PATIENCE_MS });
const http = ({ adminPort }: Side, path: string, method = 'GET'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: 'digest super:adminpass' };
    const sent = request({ host: HOST, port: adminPort, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type']?.split(';')[0], text }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });

interface Seen {
  readonly words: ReadonlyMap<string, string>;
  /** By what stands behind `/commands/`. */
  readonly commands: ReadonlyMap<string, Answer>;
  readonly index: readonly string[];
  /** Of requests that are no commands. */
  readonly odd: readonly unknown[];
}
const names = (html: string): string[] =>
  [...html.matchAll(/<a href="\/commands\/([^"]*)">/g)].map(([, at = '']) => at);

/** The same done to either server, and everything it then says. */
async function observe(side: Side): Promise<Seen> {
  // long ones: a ping that is under way would count as a request that waits
  await using client = await connect(`${HOST}:${side.port}`, { timeoutMs: 50_000, connectTimeoutMs: PATIENCE_MS });
  await using other = await connect(`${HOST}:${side.port}`, { timeoutMs: 60_000, connectTimeoutMs: PATIENCE_MS });
  await client.create('/plain', 'four');
  await client.create('/plain/below', 'eight888');
  await client.create('/e1', 'x', { mode: 'ephemeral' });
  await other.create('/e2', '', { mode: 'ephemeral' });
  await client.exists('/none', { watch: () => {} });
  await client.get('/plain', { watch: () => {} });
  await other.get('/plain', { watch: () => {} });
  await client.getChildren('/plain', { watch: () => {} });
  // watches that fire
  await client.get('/e2', { watch: () => {} });
  await other.set('/e2', 'y');
  await client.sync('/');
  await other.sync('/');
  const words = new Map<string, string>();
  for (const each of WORDS.filter((text) => text !== 'crst' && text !== 'srst'))
    words.set(each, await word(side, each));
  const listed = names((await http(side, '/commands')).text);
  const commands = new Map<string, Answer>();
  // it sets figures to 0, there more of them than here
  const isReset = (name: string): number => Number(name === 'stat_reset');
  const all = [...listed, 'nosuch', 'ruok/', 'mntr', 'srvr', 'wchp', 'RUOK'];
  for (const name of all.sort((a, b) => isReset(a) - isReset(b))) {
    const asked = name === 'set_trace_mask' ? [name, `${name}?traceMask=250`] : [name];
    for (const path of asked)
      if (!/^(restore|shed_connections|snapshot)$/.test(path))
        commands.set(path, await http(side, `/commands/${path}`));
  }
  for (const each of ['crst', 'srst']) words.set(each, await word(side, each));
  const odd = [];
  for (const [path, method] of [
    ['/', 'GET'],
    ['/nosuch', 'GET'],
    ['/commands/ruok', 'PUT'],
    ['/commands/ruok', 'TRACE'],
    ['/commands/ruok', 'HEAD'],
    ['/commands/', 'GET'],
  ] as const)
    odd.push([path, method, (await http(side, path, method)).status]);
  await client.delete('/plain/below');
  await client.delete('/plain');
  return { words, commands, index: listed, odd };
}

/** What follows from what was done, as it is; the rest as what kind of thing it is. */
const VALUES: Readonly<Record<string, (text: string) => string>> = {
  stat: (text) => calm(text).replace(/recved=\d+,sent=\d+/g, 'recved=N,sent=N'),
  srvr: (text) => calm(text),
  cons: (text) =>
    calm(
      text
        .replace(/(recved|sent|est|lcxid|lzxid|lresp|llat|minlat|avglat|maxlat)=(0x)?[0-9a-f]+/g, '$1=N')
        // of whom the answer is about last
        .replace(/lop=[A-Z0-9]+/g, 'lop=OP'),
    ),
  wchc: (text) => calm(text),
  wchp: (text) => calm(text),
  conf: (text) =>
    text
      .replace(/^(clientPort|dataDirSize|dataLogSize|electionPort|quorumPort|serverId)=\d+$/gm, '$1=N')
      .replace(/^(dataDir|dataLogDir)=.*$/gm, '$1=FOLDER')
      .replace(/^server\.(\d)=127\.0\.0\.1:\d+:\d+:(\w+);(127\.0\.0\.1:)?\d+$/gm, 'server.$1=ADDRESS:$2')
      .replace(/version=[0-9a-f]+$/, 'version=N'),
  dump: (text) => lines(text).map(plural).join('\n'),
  dirs: (text) => text.replace(/\d+/g, 'N'),
};
const calm = (text: string): string =>
  text
    .replace(/^Zookeeper version: .*$/m, 'Zookeeper version: V')
    .replace(/^Latency min\/avg\/max: [-\d.]+\/[-\d.]+\/[-\d.]+$/m, 'Latency min/avg/max: N')
    .replace(/^(Received|Sent): \d+$/gm, '$1: N')
    .replace(/^Proposal sizes last\/min\/max: .*$/m, 'Proposal sizes last/min/max: N')
    .replace(/^Zxid: 0x[0-9a-f]+$/m, 'Zxid: HEX')
    .replace(/127\.0\.0\.1:\d+\[\d+\]/g, 'CLIENT')
    .replace(/0x[0-9a-f]{6,}/g, 'SESSION');
/** In no particular order. */
const sorted = (text: string): string[] => text.split('\n').sort();

/** Figures of mntr and monitor that follow from what was done. */
const FIGURES =
  `znode_count watch_count ephemerals_count approximate_data_size num_alive_connections outstanding_requests
  server_state peer_state quorum_size learners synced_followers synced_observers synced_non_voting_followers pending_syncs
  global_sessions auth_failed_count cnt_node_changed_watch_count sum_node_changed_watch_count max_file_descriptor_count
  stale_sessions_expired connection_rejected`
    .trim()
    .split(/\s+/);
/** Fields of the other commands that do. */
const FIELDS = new Set(
  `tick_time max_client_cnxns min_session_timeout max_session_timeout client_port_listen_backlog read_only is_leader
   server_state outstanding_requests num_alive_client_connections auth_failed_count node_count provider_null tracemask
   num_connections num_paths num_total_watches learner_type voting zabstate synced_observers command error
   session_timeout`
    .trim()
    .split(/\s+/),
);

/** Of a JSON answer, the fields whose value is known, by where they stand; lists and ids in no particular order. */
function known(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => known(each, `${at}[]`)).sort();
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .flatMap(([key, each]) => {
      const name = /^\d+$/.test(key) ? 'ID' : key;
      const own = FIELDS.has(key) || key.startsWith('/') ? [`${at}.${name}=${JSON.stringify(each)}`] : [];
      return typeof each === 'object' && !key.startsWith('/') ? known(each, `${at}.${name}`) : own;
    })
    .map((line) => line.replace(/"?\b\d{12,}\b"?/g, 'ID'))
    .sort();
}
/** Paths of maps by path, whoever watches. */
const paths = (text: string): string[] => [...text.matchAll(/"(\/[^"]*)"/g)].map(([, at = '']) => at).sort();

const OF_ENSEMBLE = new Set<string>([...OF_MEMBERS, ...Object.keys(COUNTED), 'proposal_count']);
const rules = leftOut();
const PER = /_(?:read|write)_per_namespace$|_learner_handler_qp_/;
function sameKeys(role: string, theirs: readonly string[], ours: readonly string[]): void {
  const have = new Set(ours);
  const missing = theirs.filter(
    (key) =>
      !have.has(key) &&
      !PER.test(key) &&
      !(role === 'standalone' && OF_ENSEMBLE.has(key.replace(/^(?:avg|min|max|cnt|sum|p\d+)_/, ''))) &&
      !rules.some((rule) => rule.test(key)),
  );
  assert.deepEqual(missing, [], `${role}: told by ZooKeeper, and neither by ours nor among what is left out`);
}
const figuresOf = (text: string): Map<string, string> =>
  new Map([...text.matchAll(/^zk_(\S+)\t(.*)$/gm)].map(([, key = '', value = '']) => [key, value]));

/** In how many places values were held against each other. */
function compare(role: string, theirs: Seen, ours: Seen): number {
  let places = 0;
  for (const each of WORDS) {
    const [a = '', b = ''] = [theirs.words.get(each), ours.words.get(each)];
    assert.ok(a !== '' || each === 'hash', `${role}: ZooKeeper says nothing to ${each}`);
    places++;
    if (each === 'mntr') {
      sameKeys(role, keysOf(a), keysOf(b));
      const [x, y] = [figuresOf(a), figuresOf(b)];
      for (const key of FIGURES) {
        if (!x.has(key)) continue;
        places++;
        assert.equal(Number(y.get(key)) || y.get(key), Number(x.get(key)) || x.get(key), `${role} mntr ${key}`);
      }
    } else if (each === 'envi') {
      const pairs = (text: string): Map<string, string> =>
        new Map([...text.matchAll(/^([\w.]+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]));
      const [x, y] = [pairs(a), pairs(b)];
      for (const [key, value] of x) {
        // of Java, of its memory, and our own version
        if (/^(java\.|jvm\.|os\.memory|zookeeper\.version$)/.test(key)) continue;
        places++;
        if (key === 'os.arch' && value === 'amd64') assert.ok(['amd64', 'x64'].includes(y.get(key) ?? ''), key);
        // Java asks what its address is called; ours is told by the machine
        else if (key === 'user.dir' || key === 'host.name') assert.ok(y.has(key));
        else assert.equal(y.get(key), value, `${role} envi ${key}`);
      }
    } else if (each !== 'hash') {
      const value = VALUES[each] ?? ((text: string) => text);
      assert.deepEqual(sorted(value(b)), sorted(value(a)), `${role} ${each}`);
      assert.equal(b.endsWith('\n'), a.endsWith('\n'), `${role} ${each} ends`);
    }
  }
  assert.deepEqual(
    ours.index.filter((name) => !/^(restore|shed_connections|snapshot)$/.test(name)).sort(),
    [...theirs.index].sort(),
    `${role}: names of commands`,
  );
  for (const [path, a] of theirs.commands) {
    const b = ours.commands.get(path);
    assert.deepEqual([b?.status, b?.type], [a.status, a.type], `${role} ${path}`);
    places++;
    const [x, y] = [JSON.parse(a.text), JSON.parse(b?.text ?? '')] as Record<string, unknown>[];
    assert.ok(x !== undefined && y !== undefined);
    assert.deepEqual([y.command, y.error], [x.command, x.error], `${role} ${path}`);
    const name = x.command as string;
    if (name === 'monitor') {
      sameKeys(role, Object.keys(x), Object.keys(y));
      for (const key of FIGURES)
        if (key in x) assert.equal(String(y[key]), String(x[key]).replace(/\.0$/, ''), `${role} monitor ${key}`);
      continue;
    }
    if (['environment', 'system_properties', 'hash'].includes(name)) continue;
    // null for a member of 3.8.0, the text since 3.10
    if (name === 'initial_configuration' && role !== 'standalone') continue;
    // packets are not counted while they wait
    for (const each of (x.observers ?? []) as Record<string, unknown>[])
      for (const key of ['queued_packets', 'requests']) delete each[key];
    // where clients are served is told by the members of 3.8.0 that have it in their line, too
    assert.deepEqual(form(y), form(x), `${role} ${path}: names`);
    const [p, q] = [known(y), known(x)];
    places += q.length;
    assert.deepEqual(p, q, `${role} ${path}: values`);
    if (/^watches|^dump/.test(name)) assert.deepEqual(paths(b?.text ?? ''), paths(a.text), `${role} ${path}: paths`);
  }
  assert.deepEqual(ours.odd, theirs.odd, `${role}: what is no command`);
  return places;
}

const adminOf = (log: string): number =>
  Number([...log.matchAll(/admin server on 127\.0\.0\.1:(\d+)/g)].at(-1)?.[1] ?? assert.fail(log));

test('a server alone says what that of ZooKeeper says', async (t) => {
  await using apache = await ApacheMembers.start(1, 0, LINES);
  await using server = await new ServerProcess([...LINES, ...OURS], 'info').start();
  const [theirs] = apache.all;
  assert.ok(theirs !== undefined);
  const [a, b] = [await observe(theirs), await observe({ port: server.port, adminPort: adminOf(server.stderr) })];
  const places = compare('standalone', a, b);
  assert.ok(places > 100, String(places));
  t.diagnostic(`${places} places`);
  // a word more, a field less, another value: each is seen
  const spoiled: [string, (seen: Seen) => Seen][] = [
    ['a line of conf', (seen) => ({ ...seen, words: new Map([...seen.words, ['conf', 'x=1\n']]) })],
    [
      'a value of srvr',
      (seen) => ({
        ...seen,
        words: new Map([...seen.words, ['srvr', (seen.words.get('srvr') ?? '').replace(/count: \d/, 'count: 1')]]),
      }),
    ],
    [
      'a field of stats',
      (seen) => ({
        ...seen,
        commands: new Map([
          ...seen.commands,
          ['stats', { status: 200, type: 'application/json', text: '{"command":"stats","error":null}' }],
        ]),
      }),
    ],
  ];
  for (const [what, spoil] of spoiled) assert.throws(() => compare('standalone', a, spoil(b)), what);
});

test('leader, follower and observer say what those of ZooKeeper say', async (t) => {
  await using apache = await ApacheMembers.start(3, 1, LINES);
  const theirs = new Map<string, Side>();
  for (const member of apache.all) {
    const mode = /^Mode: (\w+)$/m.exec(await word(member, 'srvr'))?.[1] ?? '';
    if (!theirs.has(mode)) theirs.set(mode, member);
  }
  await using members = await Members.start({ voters: 3, observers: 1, lines: [...LINES, ...OURS] });
  const ours = { leader: await members.leader(), follower: await members.follower(), observer: members.member(4) };
  let places = 0;
  for (const [role, member] of Object.entries(ours)) {
    const apacheSide = theirs.get(role);
    assert.ok(apacheSide !== undefined, role);
    const [a, b] = [
      await observe(apacheSide),
      await observe({ port: member.clientPort, adminPort: adminOf(member.log) }),
    ];
    places += compare(role, a, b);
  }
  t.diagnostic(`${places} places`);
});
