/** An admin server over the pure server, and everybody who is not to be let in by it. */
import { Agent, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { fileURLToPath } from 'node:url';
import { realClock } from '../../../src/platform/clock.ts';
import type { AclEntry } from '../../../src/records/txns.ts';
import type { Command } from '../../../src/runtime/admin/command.ts';
import { COMMANDS, startAdmin } from '../../../src/runtime/admin/http.ts';
import { printJson } from '../../../src/runtime/admin/json.ts';
import { DamageNotes } from '../../../src/runtime/damage-notes.ts';
import { Tally } from '../../../src/runtime/tally.ts';
import { noTraffic } from '../../../src/runtime/traffic.ts';
import { digestIdentity } from '../../../src/server/auth.ts';
import { checkConfig, parseProperties } from '../../../src/server/config.ts';
import { type Certificate, makeCertificate } from '../../tls/certificates.ts';
import { authority } from './holders.ts';
import { make, need, openAs } from './matrix.ts';
import { ALL_SCHEMES, PureWire } from './pure-wire.ts';

const AT_ONCE = 16;
const keyOf = ({ key }: Certificate): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** What is told to administrators alone: a path, data, a folder and an address. */
export const HIDDEN = { path: 'HIDDEN-PATH', data: 'HIDDEN-DATA', folder: 'HIDDEN-FOLDER', ip: '10.98.76.54' };
const idOf = (credential: string): string => digestIdentity(Buffer.from(credential), 'sha1');
const OPS = 'ops:opssecret';
const SHORT = { 'no-read': 30, 'no-write': 29, 'no-create': 27, 'no-delete': 23, 'no-admin': 15, 'only-admin': 16 };

/** ACLs of `/`, and who is let in by each beside the super user. */
const entry = (scheme: string, id: string, perms = 31): AclEntry => ({ scheme, id, perms });
export const ROOTS: Readonly<Record<string, { readonly acl: readonly AclEntry[]; readonly right: readonly string[] }>> =
  {
    'as delivered': { acl: [entry('world', 'anyone')], right: [] },
    'for everybody, read only': { acl: [entry('world', 'anyone', 1)], right: [] },
    'of many': {
      acl: [
        entry('digest', idOf(OPS)),
        entry('digest', idOf('two:twosecret'), 15),
        entry('digest', idOf('two:twosecret'), 16),
        ...Object.entries(SHORT).map(([user, perms]) => entry('digest', idOf(`${user}:x`), perms)),
        ...[entry('sasl', 'ann'), entry('x509', 'CN=ann'), entry('ip', '127.0.0.1'), entry('world', 'anyone')],
      ],
      right: [`digest ${OPS}`, 'digest two:twosecret'],
    },
    'of other schemes': {
      acl: [entry('sasl', 'ann'), entry('x509', 'CN=ann'), entry('ip', '127.0.0.0/8'), entry('sasl', idOf(OPS))],
      right: [],
    },
  };
export const SUPER = 'digest super:adminpass';
/** What somebody says of himself who is not to be let in, whatever the ACL of `/`; undefined: nothing. */
export const WRONG: readonly (string | undefined)[] = [
  undefined,
  ...['', ' ', 'digest', 'digest ', 'digest :', 'digest ops', 'digest ops:', 'digest :opssecret', 'digest ops:wrong'],
  ...[`Digest ${OPS}`, `DIGEST ${OPS}`, `digest  ${OPS}`, `digest ${OPS} x`, `digest ${OPS}:`, `digest OPS:opssecret`],
  ...[`digest ${OPS}, ${SUPER}`, `digest ${idOf(OPS)}`, `digest ops:${idOf(OPS).slice(4)}`, `ops:opssecret`],
  ...[`Basic ${Buffer.from(OPS).toString('base64')}`, 'Bearer opssecret', `digest ${Buffer.from(OPS).toString('hex')}`],
  ...['digest super:', 'digest super:wrong', 'digest super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=', `Super ${OPS}`, 'super'],
  ...['super super:adminpass', 'super:adminpass', 'auth super:adminpass', 'digest super:superpass'],
  ...Object.keys(SHORT).map((user) => `digest ${user}:x`),
  // the right name, and the right password, of another scheme
  ...['digest ann:annsecret', 'sasl ann:annsecret', 'sasl ann', 'x509 CN=ann', 'x509 CN=root', 'digest CN=ann:'],
  ...['digest root:rootsecret', 'sasl root:rootsecret', 'sasl super:superpass', 'sasl super'],
  ...['ip', 'ip 127.0.0.1', 'digest 127.0.0.1', 'world anyone', 'world', 'digest anyone:anyone'],
];

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}
export interface Asked {
  readonly method?: string;
  readonly auth?: string | undefined;
  readonly body?: string;
  readonly shown?: Certificate;
}
/** With a query or a body by which it does the most. */
const WORST: Readonly<Record<string, string>> = { set_trace_mask: '?traceMask=7', snapshot: '?streaming=true' };
export const worst = ({ names: [primary], method }: Command, name: string = primary): [string, Asked] => [
  `${name}${WORST[primary] ?? ''}`,
  method === 'POST' ? { method, body: '{"percentage": 100}' } : { method },
];
export const GUARDED = COMMANDS.filter((command) => command.for === 'admins');
export const OPEN = COMMANDS.filter((command) => command.for === 'everybody');
/** What whoever is turned away gets, whole. */
export const refusal = ({ names: [command] }: Command, status: number, auth: string | undefined): string => {
  const errors = auth === undefined ? 'Auth info is missing for the command' : 'Not authenticated';
  return printJson({ command, error: status === 401 ? errors : 'Not authorized' });
};

const ALL = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
/** A server in memory that has what is not for everybody, and its admin server, which believes the certificates of an authority. */
export async function adminScene() {
  const wire = new PureWire(ALL_SCHEMES);
  const { server } = wire.rig;
  const boss = await openAs(wire, 'super');
  await need(make(boss, `/${HIDDEN.path}`, HIDDEN.data));
  const line = wire.openNow(HIDDEN.ip);
  await need(line.ask('create', { path: `/${HIDDEN.path}/own`, data: null, acl: ALL, flags: 1 }));
  await need(line.ask('getData', { path: `/${HIDDEN.path}`, watch: true }));
  const connection = wire.connectionOf(line);
  const text = [
    ...[`dataDir=/nonexistent/${HIDDEN.folder}`, 'clientPort=1', 'admin.enableServer=true', 'admin.serverPort=0'],
    ...['admin.serverAddress=127.0.0.1', 'admin.portUnification=true', 'admin.needClientAuth=true'],
    ...['ssl.quorum.keyStore.location=/none.pem', 'ssl.quorum.trustStore.location=/none.pem', ''],
  ];
  const config = checkConfig(parseProperties(text.join('\n'), 'zoo.cfg'));
  const tally = new Tally();
  const traffic = { sent: 5, received: 7 };
  const learner = { sid: 9, isObserver: true, address: `${HIDDEN.ip}:9`, established: 0, waitingBytes: 0, traffic };
  const count = { snapshots: 0, turns: 0 };
  const context = {
    ...{ server, config, tally, connections: new Set([{ connection }]), version: '3', started: 0, handshakes: 0 },
    damage: new DamageNotes({ wall: () => 0 } as never),
    traffic: noTraffic(),
    learners: () => [{ ...learner, zxid: 1n, behind: undefined }],
    snapshot: async () => {
      count.snapshots++;
      return { zxid: 1n, path: fileURLToPath(import.meta.url), bytes: 1 };
    },
    turn: () => void count.turns++,
  };
  const own = makeCertificate(authority, { hosts: ['127.0.0.1'] });
  const admin = await startAdmin({
    ...{ config: config.admin, health: { remark: undefined } as never, context: () => context, cameInClear: () => {} },
    tls: { cert: own.pem, key: keyOf(own), ca: [authority.pem] },
    logger: { info() {} },
    // whoever is turned away waits, which is not what this is about
    clock: { ...realClock, after: (_ms, run) => realClock.after(0, run) },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const base = { host: '127.0.0.1', port: admin.port };
  return {
    server,
    boss,
    connection,
    /** As a whole, everything that a command can change. */
    state: (): string =>
      JSON.stringify([
        ...[String(tally.traceMask), count, traffic, connection.state, connection.stats.received],
        { ...server.outbox.counts, authFailed: 0 },
      ]),
    failed: (): number => server.outbox.counts.authFailed,
    ask: (path: string, { method = 'GET', auth, body, shown }: Asked = {}): Promise<Reply> =>
      new Promise((resolve, reject) => {
        const headers = { ...(auth !== undefined && { authorization: auth }) };
        const options = { ...base, path: `/commands/${path}`, method, headers };
        const proof = shown && { cert: shown.pem, key: keyOf(shown), ca: authority.pem, agent: false };
        const sent = shown === undefined ? request({ ...options, agent }) : secureRequest({ ...options, ...proof });
        sent.on('response', (response) => {
          let said = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text: said }),
          );
        });
        sent.on('error', reject);
        sent.end(body);
      }),
    async [Symbol.asyncDispose](): Promise<void> {
      agent.destroy();
      await admin.stop();
    },
  };
}
