/** Every failure at the start that ZooKeeper has, and some that only we have. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A configuration that does not start. */
export interface Row {
  readonly name: string;
  /** Of zoo.cfg, beside dataDir and clientPort, which null takes out. */
  readonly lines?: Readonly<Record<string, string | null>>;
  readonly myid?: string;
  readonly ours: number;
  readonly shim: number;
  readonly says: RegExp;
  readonly before?: (dataDir: string) => void;
  /** ZooKeeper has no such failure: it starts. */
  readonly onlyOurs?: true;
}
export const THREE = {
  'server.1': '127.0.0.1:1:2',
  'server.2': '127.0.0.1:3:4',
  'server.3': '127.0.0.1:5:6',
  initLimit: '5',
  syncLimit: '2',
};

export const ROWS: readonly Row[] = [
  { name: 'no dataDir', lines: { dataDir: null }, ours: 43, shim: 2, says: /dataDir is not set; name the folder/ },
  {
    name: 'clientPort is no number',
    lines: { clientPort: 'abc' },
    ours: 43,
    shim: 2,
    says: /zoo\.cfg:2: clientPort=abc is not a whole number/,
  },
  {
    name: 'an address without a port',
    lines: { clientPort: null, clientPortAddress: '127.0.0.1' },
    ours: 43,
    shim: 2,
    says: /clientPortAddress without clientPort; set clientPort/,
  },
  {
    name: 'a secure address without a port',
    lines: { secureClientPortAddress: '127.0.0.1' },
    ours: 43,
    shim: 2,
    says: /secureClientPortAddress without secureClientPort; set secureClientPort/,
  },
  { name: 'tickTime=0', lines: { tickTime: '0' }, ours: 43, shim: 2, says: /tickTime is 0; give milliseconds/ },
  {
    name: 'session timeouts crossed',
    lines: { minSessionTimeout: '9000', maxSessionTimeout: '5000' },
    ours: 43,
    shim: 2,
    says: /shortest session timeout \(9000\) is above the longest \(5000\)/,
  },
  {
    name: 'electionAlg=1',
    lines: { electionAlg: '1' },
    ours: 43,
    shim: 2,
    says: /zoo\.cfg:3: no such election algorithm; only 3 exists: remove the line/,
  },
  {
    name: 'reconfigEnabled=yes',
    lines: { reconfigEnabled: 'yes' },
    ours: 43,
    shim: 2,
    says: /reconfigEnabled=yes is neither true nor false/,
  },
  {
    name: 'no initLimit',
    lines: { ...THREE, initLimit: null },
    myid: '1',
    ours: 43,
    shim: 2,
    says: /initLimit is not set; give/,
  },
  {
    name: 'no syncLimit',
    lines: { ...THREE, syncLimit: null },
    myid: '1',
    ours: 43,
    shim: 2,
    says: /syncLimit is not set; give/,
  },
  {
    name: 'no myid',
    lines: THREE,
    ours: 43,
    shim: 2,
    says: /myid is missing, and 3 servers are named; write the id of this server into it, which is the number behind "server\." in its line: mkdir -p \S+ && echo N > /,
  },
  {
    name: 'myid is no number',
    lines: THREE,
    myid: 'abc',
    ours: 43,
    shim: 2,
    says: /myid:1: the server id "abc" is not a number from 1 to 254/,
  },
  {
    name: 'myid that nobody lists',
    lines: THREE,
    myid: '9',
    ours: 43,
    shim: 1,
    says: /this server has the id 9, and there is no line server\.9; correct its myid \(there are 1, 2, 3\)/,
  },
  {
    name: 'only an observer',
    lines: { 'server.1': 'h:1:2:observer' },
    myid: '1',
    ours: 43,
    shim: 2,
    says: /zoo\.cfg:3: observers without a participant; make one server a participant/,
  },
  {
    name: 'an ensemble without servers',
    lines: { standaloneEnabled: 'false' },
    ours: 43,
    shim: 2,
    says: /standaloneEnabled=false without a server line; write the server lines/,
  },
  {
    name: 'a server line that is none',
    lines: { ...THREE, 'server.1': '127.0.0.1' },
    myid: '1',
    ours: 43,
    shim: 2,
    says: /server\.1=127\.0\.0\.1 is not a server line; write server\.N=HOST:QUORUMPORT/,
  },
  {
    name: 'one port twice',
    lines: { ...THREE, 'server.1': 'h:1:1' },
    myid: '1',
    ours: 43,
    shim: 2,
    says: /uses one port twice; the quorum port and the election port must differ/,
  },
  {
    name: 'several addresses',
    lines: { ...THREE, 'server.1': 'h:1:2|i:1:2' },
    myid: '1',
    ours: 43,
    shim: 2,
    says: /names several addresses; set multiAddress\.enabled=true/,
  },
  {
    name: 'an unknown role',
    lines: { ...THREE, 'server.1': 'h:1:2:foo' },
    myid: '1',
    ours: 43,
    shim: 2,
    says: /unknown role foo; write participant or observer/,
  },
  {
    name: 'server lines beside a dynamic file',
    lines: { ...THREE, dynamicConfigFile: '/x' },
    myid: '1',
    ours: 43,
    shim: 2,
    says: /server\.1 stands beside dynamicConfigFile; move/,
  },
  {
    name: 'two client ports',
    lines: { ...THREE, 'server.1': '127.0.0.1:1:2;127.0.0.1:21' },
    myid: '1',
    ours: 43,
    shim: 2,
    says: /clients are served on 0\.0\.0\.0:0 here and on 127\.0\.0\.1:21 in server\.1; make both the same/,
  },
  {
    name: 'a group that misses a server',
    lines: { ...THREE, 'group.1': '1:2' },
    myid: '1',
    ours: 43,
    shim: 2,
    says: /zoo\.cfg:8: server 3 is in no group; with group or weight lines every voter belongs to one group/,
  },
  {
    name: 'the own host does not resolve',
    lines: {
      ...THREE,
      'server.1': 'no.such.invalid:1:2',
      electionPortBindRetry: '1',
      'peer.insecure': 'true',
    },
    myid: '1',
    ours: 40,
    shim: 14,
    says: /no\.such\.invalid does not resolve to an address \(server\.1\)/,
  },
  {
    name: 'an exporter that does not exist',
    lines: { 'metricsProvider.className': 'org.x.Y' },
    ours: 43,
    shim: 2,
    says: /no metrics provider org\.x\.Y; org\S+\.PrometheusMetricsProvider turns the exporter on/,
  },
  {
    name: 'a purge interval that is none',
    lines: { 'autopurge.purgeInterval': '10x' },
    ours: 43,
    shim: 2,
    says: /autopurge\.purgeInterval=10x is no interval; write/,
  },
  {
    name: 'members beyond loopback without a secret',
    onlyOurs: true,
    lines: { ...THREE, 'server.2': '192.0.2.1:3:4' },
    myid: '1',
    ours: 43,
    shim: 2,
    says: /reach each other at 192\.0\.2\.1, where anyone could join them; make a secret .* set peer\.secretFile, or give them certificates/,
  },
  {
    name: 'skipACL=yes',
    onlyOurs: true,
    lines: { skipACL: 'yes' },
    ours: 43,
    shim: 2,
    says: /skipACL=yes would let everyone do everything; remove it/,
  },
  {
    name: 'logins demanded that nobody could make',
    onlyOurs: true,
    lines: { sessionRequireClientSASLAuth: 'true' },
    ours: 43,
    shim: 2,
    says: /scheme sasl is compulsory and there is no authProvider for it/,
  },
  {
    name: 'memory.limit is no size',
    onlyOurs: true,
    lines: { 'memory.limit': 'much' },
    ours: 43,
    shim: 2,
    says: /memory\.limit=much is not a size; write 512m/,
  },
  {
    name: 'dataDir is missing and is not to be made',
    lines: { 'datadir.autocreate': 'false' },
    ours: 40,
    shim: 3,
    says: /data directory .* does not exist, and datadir\.autocreate=false; correct the path/,
  },
  {
    name: 'dataDir cannot be made',
    lines: { dataDir: '/dev/null/d' },
    ours: 40,
    shim: 3,
    says: /data directory \/dev\/null\/d cannot be made: \/dev\/null is not a folder/,
  },
  {
    name: 'dataDir is a file',
    before: (dir) => writeFileSync(dir, ''),
    ours: 40,
    shim: 3,
    says: /the data directory \S+\/data cannot be used: it is not a folder\n/,
  },
  {
    name: 'dataLogDir is a file',
    lines: { dataLogDir: '/dev/null' },
    ours: 40,
    shim: 3,
    says: /the log directory \/dev\/null cannot be used: it is not a folder\n/,
  },
  {
    name: 'a data directory of Apache, which would be served as an empty tree',
    onlyOurs: true,
    before: (dir) => {
      mkdirSync(join(dir, 'version-2'), { recursive: true });
      writeFileSync(join(dir, 'version-2/snapshot.0'), 'ZKSN');
    },
    ours: 42,
    shim: 1,
    says: /data\/version-2 holds data of an Apache ZooKeeper server and there is none of ours beside it\. zoosh import-apache \S+ imports it/,
  },
];

let nr = 0;
/** Writes a zoo.cfg, and myid when there is one, below `folder`. */
export function placeIn(folder: string, lines: Row['lines'] = {}, myid?: string): { config: string; dataDir: string } {
  const dir = join(folder, String(nr++));
  const dataDir = join(dir, 'data');
  mkdirSync(dir);
  const all = { dataDir, clientPort: '0', ...lines };
  const config = join(dir, 'zoo.cfg');
  writeFileSync(
    config,
    Object.entries(all)
      .flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}\n`]))
      .join(''),
  );
  if (myid !== undefined) {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'myid'), `${myid}\n`);
  }
  return { config, dataDir };
}
