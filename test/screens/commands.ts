/** A scene for every command: its help, then what it shows. */
import { connect } from '../../src/client/connect.ts';
import { type UserConfig, writeConfig } from '../../src/config/config-file.ts';
import { Profiles, Settings, UserFile } from '../../src/shell/settings.ts';
import { demo, three } from './ensemble.ts';
import { fileFor, type Scene, type Stage } from './stage.ts';

const scene = (lines: readonly string[], set?: Scene['set']): Scene => ({ lines, ...(set !== undefined && { set }) });
/** The session stays, though a scene ends it. */
const stays = ({ answers }: Stage): void => answers({ close: async () => {} });
/** A program that ends at once. */
const runs = ({ ports }: Stage): void => ports({ start: async () => ({ ended: Promise.resolve(0), kill: () => {} }) });
/** Further sessions with the stage's server, each a real one. */
const ownSessions = ({ shell }: Stage): void => {
  shell.ports.session.openAt = (servers) => connect(servers);
};
const PROFILES: UserConfig = {
  default: 'local',
  profiles: {
    local: { server: 'localhost:2181' },
    prod: {
      server: 'zk1.example.com:2281,zk2.example.com:2281,zk3.example.com:2281/services',
      auth: [{ scheme: 'digest', from: 'env:ZK_AUTH' }],
      tls: { ca: 'ca.pem' },
      protect: true,
      timeout: '20s',
    },
  },
};
const withProfiles = (stage: Stage): void => {
  stays(stage);
  const name = `${stage.folder}/config.json`;
  writeConfig(name, PROFILES);
  const file = new UserFile(PROFILES, name);
  stage.ports({ profiles: new Profiles(file), settings: new Settings(file) });
};
const TREE = `{"zoosh":"export","version":1,"root":"/app"}\n`;

export const COMMANDS: Readonly<Record<string, Scene>> = {
  '4lw': scene(['4lw ruok', '4lw srvr', '4lw --all ruok zk1'], three),
  abort: scene(['txn', 'set /app/config x', 'abort']),
  acl: scene([
    'acl add /app world:anyone:r',
    'acl add /app digest:ann:7RJfAeIvrl4zdj6sS2fXrQHDvHM=:cdrwa',
    'acl diff /app /jobs',
    'acl copy /app /jobs',
    'acl rm /app digest:ann:w',
    'acl digest ann secret',
  ]),
  addWatch: scene(['addWatch /app', 'addWatch -m PERSISTENT /app/config']),
  addauth: scene(['addauth digest bob:secret', 'whoami']),
  apply: scene([
    'export /app {folder}/app.ndjson',
    'set /app/config x',
    'delete /app/motd',
    'apply -f {folder}/app.ndjson --check',
    'apply -f {folder}/app.ndjson',
    'apply -f {folder}/app.ndjson',
  ]),
  assert: scene(['assert exists /app', 'assert data /app/workers/web1 web1:8080', 'assert children /app 9']),
  barrier: scene(['barrier -n 1 --id ann /jobs/start']),
  bench: scene(['bench --znode_count 200', 'mkdir /zk-latencies', 'bench'], ownSessions),
  cd: scene(['cd /app', 'pwd', 'cd nowhere']),
  check: scene([
    'check /app/config 1',
    'txn { check /app/config 1; check /app/none absent }',
    'txn { check /app/config 7; check /app/motd absent }',
  ]),
  clear: scene(['clear']),
  close: scene(['close', 'get /app/config'], stays),
  commit: scene(['txn', 'check /app/config 1', 'set /app/config x', 'create /app/new', 'txn show', 'commit']),
  config: scene(['config', 'config -c'], three),
  connect: scene(['connect'], stays),
  count: scene(['count /app', 'count -R /app']),
  counter: scene(['counter incr /jobs/builds', 'counter incr /jobs/builds 41', 'counter get /jobs/builds']),
  cp: scene([
    'cp -r /app /copy',
    'cp /app/config /app/config.old',
    'cp -r /app /app/sub',
    'cp -r /app file:{folder}/app.ndjson',
  ]),
  create: scene([
    'create /app/new',
    'create -s /app/n- x',
    'create -p /a/b/c {"level": "info"}',
    'create /app/config x',
    'create -e /app/mine',
  ]),
  delete: scene(['delete /app/motd', 'delete -v 3 /app/config', 'delete /app', 'delete /app/confg']),
  deleteall: scene([
    'deleteall -n /app/workers',
    'deleteall --keep-root /app',
    'deleteall /app',
    'deleteall /zookeeper',
  ]),
  delquota: scene(['setquota -n 100 /app', 'delquota /app', 'delquota /app']),
  diff: scene([
    'cp -r /app /copy',
    'set /copy/config {"level":"warn","pool":{"min":2,"max":16}}',
    'set /copy/motd Hello',
    'delete /copy/logo',
    'create /copy/more x',
    'diff /app/config /copy/config',
    'diff -r /app /copy',
    'diff -r /app /app',
  ]),
  doctor: scene(['doctor'], (stage) => {
    three(stage);
    stage.tick(0.01);
  }),
  du: scene(['du /app', 'du -d 0 /']),
  each: scene(['each /app/workers/* do get {}', 'each /nope/* do get {}']),
  echo: scene(['echo hello ${cwd}']),
  edit: scene(['edit /app/config', 'edit /app/logo'], ({ ports }) => ports({ os: async () => 0 })),
  elect: scene(['elect --id ann /jobs/leader -- ./lead.sh'], runs),
  ensemble: scene(
    [
      'ensemble list',
      'ensemble status demo',
      'ensemble kill leader',
      'ensemble partition 1,2 / 3',
      'ensemble lag 2 100ms',
      'ensemble heal',
      'ensemble scale 5',
      'ensemble logs',
      'ensemble config 1',
    ],
    demo,
  ),
  events: scene(['events', 'events -n 2'], ({ shell }) => {
    for (const [at, type, path] of [
      [Date.now() - 4000, 'NodeCreated', '/app/workers/web3'],
      [Date.now() - 2000, 'NodeDataChanged', '/app/config'],
      [Date.now(), 'NodeDeleted', '/app/workers/web1'],
    ] as const)
      shell.ports.events.add({ type, path, zxid: undefined }, at);
  }),
  exists: scene(['exists /app', 'exists /nope', 'exists -q /nope']),
  export: scene([
    'export /app/config -',
    'export /app {folder}/app.ndjson',
    'export --format archive --gzip /app {folder}/app.zka',
  ]),
  find: scene([
    'find /app',
    'find /app -name "web*" -ephemeral',
    'find / -size +20',
    'find /app -name nothing',
    'find /app -mtime -1h -count',
  ]),
  get: scene([
    'get /app/config',
    'get -s /app/workers/web1',
    'get /app/motd',
    'get /app/logo',
    'get /app',
    'get /app/empty',
    'get /app/workers/*',
    'get "/app/workers/*"',
    'get /app/confg',
    'get /secret',
  ]),
  getAcl: scene(['getAcl /app', 'getAcl -s /app/config', 'getAcl /secret']),
  getAllChildrenNumber: scene(['getAllChildrenNumber /app']),
  getEphemerals: scene(['getEphemerals', 'getEphemerals /nope']),
  grep: scene(['grep gap /app', 'grep -B 1 -A 1 Mind /app/motd', 'grep -c level /app', 'grep nowhere /app']),
  help: scene([
    'help',
    'help nope',
    'help exit-codes',
    'help quoting',
    'help globs',
    'help data',
    'help operators',
    'help variables',
    'help output',
    'help watches',
    'help acl',
    'help transactions',
    'help scripts',
    'help safety',
    'help compat',
  ]),
  history: scene(['history', 'history -g config'], ({ ports }) =>
    ports({
      history: {
        list: () =>
          ['ls /app', 'get /app/config', 'set /app/config {"level":"warn"}'].map((text, at) => ({
            number: at + 1,
            text,
          })),
        clear: () => {},
      },
    }),
  ),
  import: scene(
    [
      'export /app/config {folder}/a.ndjson',
      'import --root /copy {folder}/a.ndjson',
      'import {folder}/a.ndjson',
      'import --on-conflict skip {folder}/a.ndjson',
      'import {folder}/broken.ndjson',
    ],
    (stage) => fileFor(stage, 'broken.ndjson', `${TREE}{"path":\n`),
  ),
  latency: scene(['latency -n 20'], ({ answers, tick }) => {
    tick(0.25);
    answers({ exists: async () => undefined, sync: async () => {} });
  }),
  let: scene([
    'let app = /app/config',
    'get ${app}',
    'let before = $(get /app/workers/web1)',
    'echo ${before}',
    'let 9 = x',
  ]),
  listquota: scene([
    'setquota -n 100 -B 1000000 /app',
    'listquota /app',
    'listquota /jobs',
    'setquota -n 1 /app',
    'listquota /app',
  ]),
  lock: scene(['lock --id ann /jobs/nightly -- ./nightly.sh', 'lock --style curator /jobs/mine -- ./x'], runs),
  locks: scene(['locks /jobs/held', 'locks /app', 'locks /nope'], async ({ client }) => {
    await client.create('/jobs/held', null);
    await client.create('/jobs/held/1000a1b2c3d40001-lock-', 'ann', { mode: 'ephemeralSequential' });
    await client.create('/jobs/held/1000a1b2c3d40001-lock-', 'ben', { mode: 'ephemeralSequential' });
  }),
  ls: scene([
    'ls',
    'ls /app',
    'ls -l /app',
    'ls -s /app/workers',
    'ls -R /',
    'ls /jobs/nightly',
    'ls /app/*',
    'ls /nope',
  ]),
  mirror: scene([
    'mirror -n /app /copy',
    'mirror /app /copy',
    'set /app/config x',
    'mirror /app /copy',
    'mirror /app /app/below',
  ]),
  mkdir: scene(['mkdir /a', 'mkdir -p /b/c /b/d', 'mkdir /a']),
  mv: scene(['mv /app/config /app/config.old', 'mv /app /moved', 'mv /jobs /jobs/deep']),
  printwatches: scene(['printwatches off', 'printwatches']),
  profile: scene(
    [
      'profile list',
      'profile show prod',
      'profile add dev zk-dev:2181',
      'profile default prod',
      'profile rm dev',
      'profile show prd',
    ],
    withProfiles,
  ),
  put: scene(['put /a/b/c hello', 'put /a/b/c {"x": 1}']),
  pwd: scene(['pwd']),
  queue: scene([
    'queue put /jobs/todo "resize 17"',
    'queue put --priority 5 /jobs/todo "resize 18"',
    'queue len /jobs/todo',
    'queue take /jobs/todo',
    'queue take /jobs/todo',
    'queue take --timeout 10ms /jobs/todo',
  ]),
  quit: scene(['quit']),
  quota: scene(['setquota -n 100 /app', 'setquota -B 10 /backup', 'quota ls']),
  reconfig: scene(['reconfig --add 4=zk4:2888:3888;2181 --remove 3'], three),
  redo: scene(['redo', 'redo 2'], ({ ports }) =>
    ports({ history: { list: () => [{ number: 1, text: 'get /app/config' }], clear: () => {} } }),
  ),
  removewatches: scene(['addWatch /app', 'removewatches /app', 'removewatches /app']),
  repeat: scene(['repeat 2 get /app/workers/web1']),
  run: scene(['run deploy.zk'], ({ ports }) =>
    ports({ readFile: (name) => (name === 'deploy.zk' ? 'set /app/config on\nget /app/nope\nget /app/config\n' : '') }),
  ),
  semaphore: scene(['semaphore -n 3 --id ann /jobs/copies -- ./copy.sh'], runs),
  session: scene(['session'], ({ answers, tick, client }) => {
    tick(0.2);
    answers({
      exists: async () => undefined,
      getEphemerals: async () => ['/app/workers/web1'],
      watches: () => client.watches(),
    });
  }),
  set: scene([
    'set -n /app/config {"level": "warn"}',
    'set /app/config {"level": "warn"}',
    'set -s /app/motd Hello',
    'set -v 9 /app/config x',
    'set /app/confg x',
  ]),
  setAcl: scene([
    'setAcl /app world:anyone:r,auth::cdrwa',
    'setAcl /app/config world:anyone:cdrwa,digest:ann:H4sh=:r',
    'setAcl -R /backup world:anyone:cdrwa',
    'setAcl /app/config world:anyone:r',
    'setAcl /app/config world:anyone:q',
  ]),
  setquota: scene([
    'setquota -n 1000 /app',
    'setquota -N 5000 -B 10000000 /jobs',
    'setquota /app',
    'setquota -n 1 /app/config/x',
  ]),
  settings: scene(
    ['settings', 'settings output json', 'settings output', 'settings colour on', 'settings pager sometimes'],
    withProfiles,
  ),
  sleep: scene(['sleep 1ms']),
  stat: scene(['stat /app', 'stat /app/workers/web1', 'stat /app/w*', 'stat /zookeeper']),
  smoketest: scene(['smoketest', 'mkdir -p /zk-smoketest/old', 'smoketest'], ownSessions),
  status: scene(['status'], three),
  sync: scene(['sync']),
  time: scene(['time get /app/workers/web1']),
  top: scene(['top -i 100ms -n 1'], (stage) => {
    three(stage);
    const { session } = stage.shell.ports;
    const { word } = session;
    let looks = 0;
    session.word = (name, options) => {
      if (name === 'srvr' && options.host === 'zk1') looks++;
      return word(name, options);
    };
    stage.clock(() => 1000 * looks); // a second from look to look, however long a busy machine takes
  }),
  'top-nodes': scene(['top-nodes /', 'top-nodes / --by children -n 3', 'top-nodes /app --by subtree -n 2']),
  touch: scene(['touch /app/config', 'touch /nope']),
  tree: scene(['tree', 'tree -L 1 /', 'tree -s /app']),
  txn: scene([
    'txn { check /app/config 1; set /app/config x; delete /app/motd }',
    'txn { check /app/config 1; set /app/config y; delete /app }',
    'txn',
    'create /app/a',
    'set /app/a x',
    'txn show',
    'txn drop 1',
    'commit',
  ]),
  undo: scene([
    'undo',
    'set /app/config x',
    'deleteall /app/workers',
    'delete /app/motd',
    'undo list',
    'undo',
    'undo 2',
    'undo 9',
  ]),
  unwatch: scene(['addWatch /app', 'unwatch /app', 'unwatch --all']),
  use: scene(['use @prod', 'use @prd'], withProfiles),
  version: scene(['version']),
  wait: scene(['wait /app/config', 'wait /nope --gone', 'wait /nope --timeout 5ms']),
  watch: scene(
    ['watch --timeout 5ms /app/config', 'watch --count 1 --diff /app/config', 'watch --until sometimes /app'],
    ({ client }) => {
      setTimeout(() => void client.set('/app/config', '{"level":"warn"}').catch(() => {}), 150);
    },
  ),
  watches: scene(['watches', 'addWatch /app', 'get -w /app/config', 'watches']),
  who: scene(['who /app/workers/web1', 'who /app/workers/*', 'who /app']),
  whoami: scene(['whoami']),
};
