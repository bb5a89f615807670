/**
 * A canary is every secret that is given (CVE-2026-24308): passwords of logins, of the super user, of a key and of the ensemble; in
 * profiles, in options, in settings; another is behind names that do not tell. It is used, things go wrong, everything is asked
 * and printed; and it is found nowhere.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { fourLetterWord } from '../../src/index.ts';
import { COMMANDS } from '../../src/runtime/admin/http.ts';
import { BIN, zoosh } from '../e2e/cli.ts';
import { Session } from '../editor/session.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { makeAuthority, makeCertificate } from '../tls/certificates.ts';
import {
  CANARY,
  command,
  control,
  filesIn,
  page,
  SECRET_FILE,
  STRAY,
  SUPER_DIGEST,
  sessionPassword,
  sightings,
} from './canary.ts';

const HOST = '127.0.0.1';
const WORDS = 'conf cons dirs dump envi hash isro mntr ruok srvr stat wchc wchp wchs crst srst nope'.split(' ');
const home = mkdtempSync(join(tmpdir(), 'zoosh-canary-'));
const BUNDLE = join(home, 'bundle.tgz');
const VERBS = [
  ['config'],
  ['-o', 'json', 'config'],
  ['print-cmd'],
  ['status'],
  ['log-level', 'debug'],
  ['bundle', BUNDLE],
];
/** What container images take a secret by. */
const IMAGES: Readonly<Record<string, Record<string, string>>> = {
  docker: {
    ZOO_MY_ID: '1',
    ZOO_CFG_EXTRA: `ssl.quorum.keyStore.password=${CANARY} vendor.license=${STRAY}`,
    JVMFLAGS: `-Dzookeeper.ssl.keyStore.password=${CANARY}`,
  },
  bitnami: {
    ...{ ZOO_SERVER_ID: '1', ZOO_ENABLE_AUTH: 'yes', ZOO_CLIENT_USER: 'bob', ZOO_CLIENT_PASSWORD: CANARY },
    ...{ ZOO_SERVER_USERS: 'bob', ZOO_SERVER_PASSWORDS: CANARY, ZOO_TLS_QUORUM_ENABLE: 'true' },
    ...{ ZOO_TLS_QUORUM_KEYSTORE_FILE: '/k.pem', ZOO_TLS_QUORUM_KEYSTORE_PASSWORD: CANARY },
    ...{ ZOO_TLS_QUORUM_TRUSTSTORE_FILE: '/t.pem', ZOO_TLS_QUORUM_TRUSTSTORE_PASSWORD: CANARY },
  },
  confluent: {
    ...{ ZOOKEEPER_SERVER_ID: '1', ZOOKEEPER_CLIENT_PORT: '2181', ZOOKEEPER_SSL_KEYSTORE_PASSWORD: CANARY },
    ...{ ZOOKEEPER_SSL_QUORUM_KEYSTORE_PASSWORD: CANARY, KAFKA_OPTS: `-Dzookeeper.ssl.trustStore.password=${CANARY}` },
  },
};
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});
const file = (name: string, text: string): string => {
  writeFileSync(join(home, name), text, { mode: 0o600 });
  return join(home, name);
};
/** Everything that was printed, by who printed it. */
const printed = new Map<string, string | Buffer>();
const keep = (who: string, text: string): void => void printed.set(who, `${printed.get(who) ?? ''}${text}`);

/** Settings of SASL, whose users are in a file with this in it. */
const jaas = (users: string): string[] => [
  'authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
  `SASLAuthenticationProvider.superPassword=${CANARY}`,
  `java.security.auth.login.config=${file(
    `jaas.${jaasFiles++}`,
    `Server {\n  org.apache.zookeeper.server.auth.DigestLoginModule required\n  ${users}\n};\n`,
  )}`,
];
let jaasFiles = 0;

/** Settings that nobody here knows, whose names say nothing of what they hold. */
const STRAYS = ['vendor.license', 'db.pw', 'keystorePin', 'dataDirectory'];

/** A crash of the process at SIGUSR2, as a mistake of ours would be. */
const CRASH = "--import=data:text/javascript,process.on('SIGUSR2',()=>{throw new Error('a%20mistake')})";
interface Served {
  readonly folder: string;
  readonly port: number;
  readonly metrics: number;
  readonly admin: number;
  readonly child: ChildProcess;
}
/** An ensemble of one, with whatever can hold a secret set, telling as much as it can. */
async function serve(name: string, format: string, lines: readonly string[]): Promise<Served> {
  const folder = join(home, name);
  mkdirSync(join(folder, 'data'), { recursive: true });
  writeFileSync(join(folder, 'data', 'myid'), '1\n');
  const base = await ownBlock(HOST, 1);
  const cfg = [
    ...['tickTime=500', 'initLimit=10', 'syncLimit=5', 'standaloneEnabled=false', 'reconfigEnabled=true'],
    ...['audit.enable=true', '4lw.commands.whitelist=*', `dataDir=${join(folder, 'data')}`],
    'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
    ...[`metricsProvider.httpHost=${HOST}`, `metricsProvider.httpPort=${base + 300}`],
    `DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`,
    ...['ssl.quorum.trustStore.password', 'ssl.trustStore.password', 'an.unknown.password'].map(
      (key) => `${key}=${CANARY}`,
    ),
    ...STRAYS.map((key) => `${key}=${STRAY}`),
    ...['admin.enableServer=true', `admin.serverAddress=${HOST}`, `admin.serverPort=${base + 400}`],
    ...lines,
    `server.1=${HOST}:${base + 100}:${base + 200};${HOST}:${base}`,
  ];
  writeFileSync(join(folder, 'zoo.cfg'), `${cfg.join('\n')}\n`, { mode: 0o600 });
  const args = ['start', 'server', '--config', join(folder, 'zoo.cfg'), '--control', join(folder, 'ctl'), '--leash'];
  if (format === 'ndjson') args.push('--log-file', join(folder, 'log'));
  const child = spawn(process.execPath, [CRASH, BIN, ...args, '--log-level', 'debug', '--log-format', format], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  children.push(child);
  child.stdin?.on('error', () => {});
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        keep(`server ${name}`, chunk.toString());
        if (String(printed.get(`server ${name}`)).includes('ready ')) resolve();
      });
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${printed.get(`server ${name}`)}`)));
  });
  await ready;
  return { folder, port: base, metrics: base + 300, admin: base + 400, child };
}

/** What a program of ours says to these words, at `target`. */
async function say(
  who: string,
  words: readonly string[],
  input = '',
  code?: number,
  more: Record<string, string> = {},
): Promise<string> {
  const ran = await zoosh(words, input, {
    ...more,
    ZOOSH_HOME: join(home, 'user'),
    ZK_AUTH: `digest:bob:${CANARY}`,
    COLUMNS: '200',
  });
  keep(who, ran.stdout + ran.stderr);
  if (code !== undefined) assert.equal(ran.code, code, `${who}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}
test('what is secret is found in nothing that is printed, told or written', async () => {
  const authority = makeAuthority('canary');
  const { pem, key } = makeCertificate(authority, { hosts: [HOST] });
  const locked = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: CANARY }).toString();
  const stores = [
    'sslQuorum=true',
    `ssl.quorum.keyStore.location=${file('key.pem', pem + locked)}`,
    `ssl.quorum.trustStore.location=${file('ca.pem', authority.pem)}`,
  ];
  const [secret, tls] = await Promise.all([
    serve('secret', 'ndjson', [
      `peer.secretFile=${file('peer.secret', `${SECRET_FILE}\n`)}`,
      ...jaas(`user_bob="${CANARY}";`),
    ]),
    serve('tls', 'text', [...stores, `ssl.quorum.keyStore.password=${CANARY}`]),
  ]);

  // the secrets are used
  mkdirSync(join(home, 'user', 'config'), { recursive: true });
  const at = `${HOST}:${secret.port}`;
  const profile = { server: at, auth: [{ scheme: 'digest', cred: `bob:${CANARY}` }] };
  const config = join(home, 'user', 'config', 'config.json');
  writeFileSync(config, JSON.stringify({ profiles: { prod: profile } }), { mode: 0o600 });
  const bob = ['--auth', `digest:bob:${CANARY}`];
  assert.match(await say('whoami', ['-v', ...bob, at, 'whoami'], '', 0), /bob/);
  const super_ = ['--auth', `digest:super:${CANARY}`];
  await say('what super does', ['-v', ...super_, at, 'create', '--force', '/closed', 'x', 'digest:nobody:x:r'], '', 0);
  assert.equal((await say('super reads', ['-v', ...super_, at, 'get', '/closed'], '', 0)).trim(), 'x');

  // everything is asked, and much goes wrong
  const script = [
    `addauth digest bob:${CANARY}`,
    'create /mine x auth::cdrwa',
    'get /nope',
    `addauth nope ${CANARY}`,
    `addauth digest`,
    'history',
    'status',
    'whoami',
  ];
  const refused: [string, string[]][] = [
    ['a setting in an option', ['--set', `DigestAuthenticationProvider.superDigest=${CANARY}`]],
    ['a setting in another', ['--set', `ssl.quorum.keyStore.password=${CANARY}`, '--set', `clientPort=x`]],
  ];
  const config_ = (name: string, lines: readonly string[]): string[] => {
    mkdirSync(join(home, `${name}.d`));
    writeFileSync(join(home, `${name}.d`, 'myid'), '1\n');
    const own = [...['initLimit=5', 'syncLimit=2', 'standaloneEnabled=false', `dataDir=${join(home, `${name}.d`)}`]];
    return [
      'start',
      'server',
      '--config',
      file(`${name}.cfg`, [...own, 'server.1=127.0.0.1:1:2;3', ...lines].join('\n')),
    ];
  };
  const starts: [string, string[]][] = [
    ['a super digest that is none', [`DigestAuthenticationProvider.superDigest=${CANARY}`]],
    ['a password that opens nothing', [...stores, `ssl.quorum.keyStore.password=x${CANARY}`]],
    [
      'a password in a place of its own',
      [...stores, `ssl.quorum.keyStore.passwordPath=${file('word', `x${CANARY}\n`)}`],
    ],
    ['a secret that is no base64', [`peer.secretFile=${file('bad.secret', `${CANARY}!\n`)}`]],
    ['a secret that is too short', [`peer.secretFile=${file('short.secret', `${SECRET_FILE.slice(0, 24)}\n`)}`]],
    ['users without a semicolon', jaas(`user_bob="${CANARY}"`)],
    ['users with an open quote', jaas(`user_bob="${CANARY};`)],
    ['an escape that is none', [`ssl.quorum.keyStore.password=${CANARY}\\u00zz`]],
  ];
  const jobs: (() => Promise<unknown>)[] = [
    () => say('a script', ['-v', '-k', at], `${script.join('\n')}\n`),
    () => say('zkCli', ['--compat', 'zkcli', '-server', at], `${script.slice(0, 5).join('\n')}\nquit\n`),
    () => say('a dry run', ['--dry-run', at, '-c', script.slice(0, 2).join('; ')]),
    () => say('one transaction', ['--atomic', '-o', 'json', at, '-c', script.slice(0, 2).join('; ')]),
    () => say('a script as one transaction', ['--atomic', at], `${script.join('\n')}\n`),
    () => say('a script, told in JSON', ['-o', 'json', '-k', at], `${script.join('\n')}\n`),
    () => say('a script, told in JSON, on a server', ['-o', 'ndjson', '-k', at], `${script.join('\n')}\n`),
    () => say('a password that is hashed in a pipe', ['-o', 'json', at, '-c', `acl digest bob:${CANARY}; get /nope`]),
    () => say('a profile', ['-v', '@prod', 'ls', '/'], '', 0),
    () => say('profiles', ['profile', 'list'], '', 0),
    () => say('one profile', ['-o', 'json', 'profile', 'show', 'prod'], '', 0),
    () => say('settings', ['settings']),
    () => say('status', ['-v', ...bob, at, 'status']),
    () => say('doctor', ['-v', '-o', 'json', '@prod', 'doctor']),
    () => say('who', ['-v', ...super_, at, '-c', 'who; session; latency -n 3; config; members']),
    () => say('no server', ['-v', '--timeout', '1s', ...bob, `${HOST}:1`, 'ls', '/']),
    () => say('a credential that is none', ['--auth', `digest${CANARY}`, at, 'ls', '/']),
    () => say('a scheme that is none', ['-v', '--auth', `nope:${CANARY}`, at, 'ls', '/']),
    () => say('a credential of the environment', ['-v', '--auth', 'env:ZK_AUTH', at, 'whoami']),
    () => say('a word too many', [...bob, at, 'get', '/a', '/b', '/c']),
    // what operators do with a server, secrets in every place that they may stand in
    ...VERBS.map((verb) => () => {
      const flags = {
        SERVER_JVMFLAGS: `-Dzookeeper.ssl.quorum.trustStore.password=${CANARY} -Dvendor.license=${STRAY} -Xmx300m`,
        VENDOR_LICENSE: STRAY,
      };
      const more = ['--set', `ssl.quorum.keyStore.password=${CANARY}`, '--control', join(secret.folder, 'ctl')];
      const words = ['server', '--config', join(secret.folder, 'zoo.cfg'), ...verb, ...more];
      return say(`server ${verb.join(' ')}`, words, '', 0, flags);
    }),
    ...Object.entries(IMAGES).flatMap(([image, variables]) =>
      (['text', 'json'] as const).map((mode) => () => {
        const words = ['server', '-o', mode, 'from-env', '--print'];
        return say(`variables of ${image}, ${mode}`, words, '', 0, variables);
      }),
    ),
    ...refused.map(
      ([who, more]) =>
        () =>
          say(who, ['start', 'standalone', '--memory', '--port', '0', ...more], '', 43),
    ),
    ...starts.map(
      ([who, lines]) =>
        () =>
          say(who, config_(who.replaceAll(' ', '-'), lines), '', 43),
    ),
  ];
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job();
  };
  await Promise.all([work(), work(), work()]);

  // what is typed at the prompt
  {
    using one = new Session({
      sh: `exec ${process.execPath} ${BIN} ${at}`,
      env: { ZOOSH_HOME: join(home, 'user'), LANG: 'C.UTF-8' },
    });
    await one.until((screen) => screen.includes('type help'), 'a prompt', PATIENCE_MS);
    const lines = [
      `addauth digest bob:${CANARY}`,
      `acl digest bob:${CANARY}`,
      `setAcl /closed digest:bob:${CANARY}:r`,
      `deleteall /mine -y`,
    ];
    for (const line of lines) one.type(`${line}\r`);
    one.type('quit\r');
    await one.until(() => one.exit !== undefined, 'its end', PATIENCE_MS);
  }

  // the servers are asked, and end: one in order, one by a mistake
  const passwords = await Promise.all([secret, tls].map(({ port }) => sessionPassword(port)));
  for (const { folder, port, metrics, admin, child } of [secret, tls]) {
    const there = { host: HOST, port, timeoutMs: PATIENCE_MS };
    for (const word of WORDS) keep(`the word ${word}`, await fourLetterWord(word, there).catch(String));
    keep('metrics', await page(metrics));
    const credentials = [undefined, `digest super:${CANARY}`, `digest bob:${CANARY}`, `digest${CANARY}`, `x ${CANARY}`];
    for (const auth of credentials) {
      const who = auth?.replaceAll(CANARY, '...') ?? 'nobody';
      const asked = COMMANDS.flatMap(({ names, method }) => names.map((name) => command(admin, name, method, auth)));
      keep(`the admin server, by ${who}`, `${(await Promise.all(asked)).join('\n')}\n`);
    }
    for (const line of ['status', 'digest', 'snapshot', 'log', CANARY.slice(0, 3)].map((op) => JSON.stringify({ op })))
      keep('the control socket', await control(join(folder, 'ctl'), line));
    const ended = once(child, 'close'); // then all that it printed is here
    child.kill(folder === tls.folder ? 'SIGUSR2' : 'SIGTERM');
    await ended;
  }
  assert.match(String(printed.get('server tls')), /a mistake/, 'it crashed');
  // the audit log names bob, and has neither his password nor what it is kept as
  assert.match(
    String(printed.get('server secret')) + readFileSync(join(secret.folder, 'log'), 'utf8'),
    /Slf4jAuditLogger/,
  );
  assert.match(String(printed.get('metrics')), /znode_count/);
  const byAdmin = String(printed.get('the admin server, by digest super:...'));
  // all are done but restore, and a second snapshot within five minutes
  const statuses = [...byAdmin.matchAll(/^(\d{3}) \{"/gm)].map((match) => Number(match[1]));
  const names = COMMANDS.flatMap((each) => each.names);
  assert.equal(statuses.length, 2 * names.length);
  assert.ok(statuses.filter((status) => status !== 200).length <= 2 * 4, String(statuses));
  assert.match(String(printed.get('the control socket')), /"zxid"/);

  printed.set('the bundle', gunzipSync(readFileSync(BUNDLE)));
  assert.match(String(printed.get('the bundle')), /settings\.txt/);
  const given = ['zoo.cfg', 'zoo.cfg.bak'];
  const sessions = Object.fromEntries(
    passwords.flatMap((each, i) =>
      (['latin1', 'hex', 'base64'] as const).map((as) => [`the password of session ${i}, ${as}`, each.toString(as)]),
    ),
  );
  // an id that stands for bob's password is data, to be shown to whoever may administer a node
  assert.deepEqual(sightings(printed, sessions), []);
  for (const { folder } of [secret, tls]) assert.deepEqual(sightings(filesIn(folder, given), sessions), []);
  const kept = filesIn(join(home, 'user'), ['config/config.json']);
  assert.deepEqual(sightings(kept), []);
  // it was looked for where something is, and where it is it is found
  for (const each of ['superDigest', 'superPassword', 'trustStore.password'])
    assert.match(byAdmin, new RegExp(`${each}[^\\n]*\\*\\*\\*`), 'it is named, and hidden');
  assert.ok([...kept.keys()].some((name) => name.endsWith('history')) && printed.size > 40, `${[...kept.keys()]}`);
  const shown = sightings(new Map([['zoo.cfg', filesIn(secret.folder).get(join(secret.folder, 'zoo.cfg')) ?? '']]));
  assert.deepEqual(
    new Set(shown.map((each) => each.split(': ')[1])),
    new Set([...['as it is', 'its first half', 'the digest of super'], 'as it is, behind a name that tells nothing']),
  );
});
