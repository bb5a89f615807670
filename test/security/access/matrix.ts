/** Who may do what: every operation on nodes with every kind of ACL, asked by everybody, as lines of text to be compared. */
import { KEEPER_CODES } from '../../../src/base/errors.ts';
import { Reader } from '../../../src/protocol/bytes.ts';
import { type MultiPart, OPERATIONS, type OperationName, type RequestOf } from '../../../src/protocol/operations.ts';
import { respond } from '../../../src/sasl/digest-md5.ts';
import { certificateOf } from './holders.ts';
import type { Answer, Line, Wire } from './wire.ts';

export interface Id {
  readonly scheme: string | null;
  readonly id: string | null;
}
export const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
/** `alice:secret` and `bob:secret`. */
export const ALICE = 'alice:aYXlLOpEooaV1cRAvUL1fp9Qt7E=';
export const BOB = 'bob:fyVmFCwVbTJYrznoSu1koqYEYF0=';

/** Whom the ACL of a node names. */
export type Named = Readonly<Record<string, Id>>;
export const NAMED: Named = {
  world: { scheme: 'world', id: 'anyone' },
  alice: { scheme: 'digest', id: ALICE },
  bob: { scheme: 'digest', id: BOB },
  ip: { scheme: 'ip', id: '127.0.0.1' },
  'ip/8': { scheme: 'ip', id: '127.0.0.0/8' },
  'ip/0': { scheme: 'ip', id: '0.0.0.0/0' },
  'another-ip': { scheme: 'ip', id: '10.0.0.0/8' },
};
/** What they may: nothing, each bit alone, all but each, all. */
export const PERMS = [0, 1, 2, 4, 8, 16, 30, 29, 27, 23, 15, 31];
/** Who asks, and what he has proved, each as its scheme and what is said or shown; all come from 127.0.0.1. */
export type Askers = Readonly<Record<string, readonly string[]>>;
export const ASKERS: Askers = {
  nobody: [],
  alice: ['digest alice:secret'],
  'alice+bob': ['digest alice:secret', 'digest bob:secret'],
  mallory: ['digest alice:wrong'],
  super: ['digest super:adminpass'],
};

const NAMES = new Map<number, string>(Object.entries(KEEPER_CODES).map(([name, number]) => [number, name]));
export const outcome = (answer: Answer | undefined): string =>
  answer === undefined ? 'hung up' : answer.err === 0 ? 'ok' : (NAMES.get(answer.err) ?? String(answer.err));

/** A login by SASL; what came of the last of it. */
export async function sasl(line: Line, user: string, password: string): Promise<Answer | undefined> {
  const first = await line.ask('sasl', { token: Buffer.alloc(0) });
  if (first?.err !== 0) return first;
  const { token } = OPERATIONS.sasl.answer.read(new Reader(first.body));
  const answer = token === null ? undefined : respond(token, user, password, 'never given before');
  if (answer === undefined) throw new Error('it has no logins by SASL');
  return line.ask('sasl', { token: answer.token });
}
const split = (text: string, by: string): [string, string] => {
  const at = text.indexOf(by);
  return [text.slice(0, at), text.slice(at + 1)];
};
/** A line of somebody who has proved all this: a certificate is shown when it is opened, the rest is said. */
export async function openWith(wire: Wire, proofs: readonly string[]): Promise<Line> {
  const words = proofs.map((proof) => split(proof, ' '));
  const shown = words.find(([scheme]) => scheme === 'x509');
  const line = await wire.open(shown && certificateOf(shown[1]));
  for (const [scheme, said] of words) {
    if (scheme === 'x509') continue;
    const answer = await (scheme === 'sasl' ? sasl(line, ...split(said, ':')) : line.login(scheme, said));
    if (answer?.err !== 0) throw new Error(`${scheme} ${said}: ${outcome(answer)}`);
  }
  return line;
}
export const openAs = (wire: Wire, asker: string, askers = ASKERS): Promise<Line> =>
  openWith(wire, askers[asker] ?? []);
export const make = (line: Line, path: string, data = '', acl: RequestOf<'create'>['acl'] = OPEN) =>
  line.ask('create', { path, data: Buffer.from(data), acl, flags: 0 });
export const need = async (what: Promise<Answer | undefined>): Promise<Answer> => {
  const answer = await what;
  if (answer?.err !== 0) throw new Error(`it should be done: ${outcome(answer)}`);
  return answer;
};

/** A version that no node has: who may change it is told so, and nothing is changed. */
const NEVER = 99;
const DATA = Buffer.from('other');
type Probe = (line: Line, path: string) => Promise<string>;
const asked =
  <N extends OperationName>(name: N, request: (path: string) => RequestOf<N>): Probe =>
  async (line, path) =>
    outcome(await line.ask(name, request(path)));
/** What the first part of a multi came to. */
const inMulti =
  (name: 'multi' | 'multiRead', part: (path: string) => MultiPart): Probe =>
  async (line, path) => {
    const answer = await line.ask(name, [part(path)]);
    if (answer?.err !== 0) return `the whole: ${outcome(answer)}`;
    const [first] = OPERATIONS[name].answer.read(new Reader(answer.body));
    return outcome({ ...answer, err: first?.err ?? 1 });
  };
const kid = (path: string) => ({ path: `${path}/kid`, data: DATA, acl: OPEN, flags: 0 });
const timed = (path: string) => ({ ...kid(path), flags: 5, ttl: 60_000n });

/** One question about a node that has a child `kid`; none of them changes anything, whoever asks. */
const PROBES: Readonly<Record<string, Probe>> = {
  exists: asked('exists', (path) => ({ path, watch: false })),
  getData: asked('getData', (path) => ({ path, watch: false })),
  getChildren: asked('getChildren', (path) => ({ path, watch: false })),
  getChildren2: asked('getChildren2', (path) => ({ path, watch: false })),
  getAllChildrenNumber: asked('getAllChildrenNumber', (path) => ({ path })),
  getAcl: async (line, path) => {
    const answer = await line.ask('getAcl', { path });
    if (answer?.err !== 0) return outcome(answer);
    const { acl } = OPERATIONS.getAcl.answer.read(new Reader(answer.body));
    return acl?.some(({ id }) => id.scheme === 'digest' && id.id?.endsWith(':x')) ? 'masked' : 'ok';
  },
  setData: asked('setData', (path) => ({ path, data: DATA, version: NEVER })),
  setAcl: asked('setAcl', (path) => ({ path, acl: OPEN, version: NEVER })),
  create: asked('create', kid),
  create2: asked('create2', kid),
  createContainer: asked('createContainer', (path) => ({ ...kid(path), flags: 4 })),
  createTtl: asked('createTtl', timed),
  delete: asked('delete', (path) => ({ path: `${path}/kid`, version: NEVER })),
  'delete of no child': asked('delete', (path) => ({ path: `${path}/none`, version: NEVER })),
  'delete of the node': asked('delete', (path) => ({ path, version: NEVER })),
  sync: asked('sync', (path) => ({ path })),
  addWatch: asked('addWatch', (path) => ({ path, mode: 1 })),
  checkWatches: asked('checkWatches', (path) => ({ path, type: 3 })),
  removeWatches: asked('removeWatches', (path) => ({ path, type: 3 })),
  getEphemerals: asked('getEphemerals', (path) => ({ prefixPath: path })),
  'multi create': inMulti('multi', (path) => ({ type: 1, request: kid(path) })),
  'multi create2': inMulti('multi', (path) => ({ type: 15, request: kid(path) })),
  'multi createContainer': inMulti('multi', (path) => ({ type: 19, request: { ...kid(path), flags: 4 } })),
  'multi createTtl': inMulti('multi', (path) => ({ type: 21, request: timed(path) })),
  'multi delete': inMulti('multi', (path) => ({ type: 2, request: { path: `${path}/kid`, version: NEVER } })),
  'multi setData': inMulti('multi', (path) => ({ type: 5, request: { path, data: DATA, version: NEVER } })),
  'multi check': inMulti('multi', (path) => ({ type: 13, request: { path, version: NEVER } })),
  'multiRead getData': inMulti('multiRead', (path) => ({ type: 4, request: { path, watch: false } })),
  'multiRead getChildren': inMulti('multiRead', (path) => ({ type: 8, request: { path, watch: false } })),
};
/** Operations that are asked about, alone. */
export const PROBED: ReadonlySet<string> = new Set(Object.keys(PROBES));
/** So that twelve outcomes are a word. */
const LETTERS: Readonly<Record<string, string>> = {
  ok: 'y',
  masked: 'm',
  NoAuth: '-',
  BadVersion: 'V',
  NodeExists: 'E',
  NoNode: 'N',
};

/**
 * For each operation who gets what: a word has a letter for each of {@link PERMS}, behind it `WHO ASKS(WHOM THE ACL NAMES ...)`.
 */
export async function permissions(wire: Wire, names = NAMED, askers = ASKERS): Promise<string[]> {
  const admin = await openAs(wire, 'super');
  await need(make(admin, '/m'));
  const pathOf = (named: string, perm: number): string => `/m/${named.replace('/', '-')}.${perm}`;
  for (const [named, id] of Object.entries(names))
    await Promise.all(
      PERMS.flatMap((perms, perm) => {
        const path = pathOf(named, perm);
        return [
          need(make(admin, path, 'data')),
          need(make(admin, `${path}/kid`)),
          need(admin.ask('setAcl', { path, acl: [{ perms, id }], version: -1 })),
        ];
      }),
    );
  const found = new Map<string, Map<string, Map<string, string[]>>>();
  for (const asker of Object.keys(askers)) {
    const line = await openAs(wire, asker, askers);
    for (const named of Object.keys(names))
      for (const [name, probe] of Object.entries(PROBES)) {
        const outcomes = await Promise.all(PERMS.map((_, perm) => probe(line, pathOf(named, perm))));
        const word = outcomes.map((each) => LETTERS[each] ?? `[${each}]`).join('');
        const words = found.get(name) ?? new Map<string, Map<string, string[]>>();
        found.set(name, words);
        const those = words.get(word) ?? new Map<string, string[]>();
        words.set(word, those);
        those.set(asker, [...(those.get(asker) ?? []), named]);
      }
  }
  const show = (those: Map<string, string[]>): string =>
    [...those].map(([asker, named]) => `${asker}(${named.join(' ')})`).join(' ');
  return [...found].flatMap(([name, words]) =>
    [...words].sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, those]) => `${name}: ${word} ${show(those)}`),
  );
}

export type Lists = Readonly<Record<string, RequestOf<'create'>['acl']>>;
export const acl = (scheme: string | null, id: string | null, perms = 31) => ({ perms, id: { scheme, id } });
const LISTS: Lists = {
  null: null,
  '[]': [],
  ...Object.fromEntries(
    [
      acl('world', 'anyone', 0),
      acl('world', 'anyone', -1),
      acl('world', 'anyone', 64),
      ...['everyone', '', null].map((id) => acl('world', id)),
      ...['', 'x', null].map((id) => acl('auth', id)),
      ...[ALICE, 'nocolon', 'a:b:c', ':x', 'a:', ':', '', 'a:b'].map((id) => acl('digest', id)),
      ...['127.0.0.1', '10.0.0.0/8', '127.0.0.1/0', '127.0.0.1/32', '127.0.0.1/33', '127.0.0.1/-1'].map((id) =>
        acl('ip', id),
      ),
      ...['127.0.0', '256.0.0.1', '1.2.3.4/x', '1.2.3.4/8/8', '::1', 'localhost', ''].map((id) => acl('ip', id)),
      ...['super', 'sasl', 'x509', 'nope', 'WORLD', 'Digest', '', null].map((scheme) => acl(scheme, 'CN=x')),
      acl('super', ''),
      acl('sasl', 'bob@EXAMPLE'),
    ].map((each) => [`${each.id.scheme}:${each.id.id} ${each.perms}`, [each]]),
  ),
  'twice the same': [acl('digest', 'a:b'), acl('digest', 'a:b')],
  'twice the same, other bits': [acl('digest', 'a:b', 1), acl('digest', 'a:b', 2)],
  'a good one and a bad one': [acl('world', 'anyone'), acl('nope', 'x')],
  'auth and its own': [acl('auth', ''), acl('digest', ALICE)],
  'world and another': [acl('world', 'anyone', 1), acl('digest', ALICE)],
};

/** Which ACLs may be given, and what becomes of them. */
export async function givenAcls(
  wire: Wire,
  lists = LISTS,
  askers: Askers = Object.fromEntries(Object.entries(ASKERS).filter(([name]) => name !== 'mallory')),
): Promise<string[]> {
  const admin = await openAs(wire, 'super');
  await need(make(admin, '/g'));
  const found = new Map<string, string[]>();
  for (const asker of Object.keys(askers)) {
    const asking = await openAs(wire, asker, askers);
    for (const [what, list] of Object.entries(lists)) {
      const said = outcome(await make(asking, '/g/x', '', list));
      const refused = outcome(await asking.ask('setAcl', { path: '/g', acl: list, version: NEVER }));
      let kept = '';
      if (said === 'ok') {
        const { body } = await need(admin.ask('getAcl', { path: '/g/x' }));
        const entries = OPERATIONS.getAcl.answer.read(new Reader(body)).acl ?? [];
        kept = `, kept as ${entries.map(({ perms, id }) => `${id.scheme}:${id.id} ${perms}`).join(' + ')}`;
        await need(admin.ask('delete', { path: '/g/x', version: -1 }));
      }
      const line = `${what}: create ${said}, setAcl ${refused}${kept}`;
      found.set(line, [...(found.get(line) ?? []), asker]);
    }
  }
  return [...found].map(([what, askers]) => `${what}; ${askers.join(', ')}`);
}

const LOGINS: readonly (readonly [string | null, string | null])[] = [
  ['digest', 'alice:secret'],
  ['digest', 'super:adminpass'],
  ['digest', 'super:wrong'],
  ['digest', 'nocolon'],
  ['digest', 'a:b:c'],
  ['digest', ''],
  ['ip', '10.1.2.3'],
  ['ip', ''],
  ['world', 'anyone'],
  ['auth', ''],
  ['super', ''],
  ['super', 'super:adminpass'],
  ['x509', 'CN=x'],
  ['sasl', 'bob'],
  ['Digest', 'alice:secret'],
  ['nope', ''],
  ['', ''],
];
/** Which logins are taken, who one is then, and whether the connection lives on. */
export async function logins(wire: Wire): Promise<string[]> {
  const lines: string[] = [];
  for (const [scheme, credential] of LOGINS) {
    const line = await wire.open();
    const said = outcome(await line.login(scheme, credential));
    lines.push(`${scheme} ${credential}: ${said}, then ${await identities(line)}`);
  }
  return lines;
}
/** In no order, as in ZooKeeper. */
export async function identities(line: Line): Promise<string> {
  const answer = await line.ask('whoAmI', {});
  const who = answer === undefined ? undefined : OPERATIONS.whoAmI.answer.read(new Reader(answer.body)).clientInfo;
  const names = who?.map(({ authScheme, user }) => `${authScheme}:${user}`).sort();
  return names?.join(' + ') ?? 'hung up';
}

/** Operations that no client is meant to send, on a node that the asker may not touch: outcome, and whether it lives on. */
export async function oddOperations(wire: Wire): Promise<string[]> {
  const admin = await openAs(wire, 'super');
  await need(make(admin, '/o', 'data', [acl('digest', ALICE)]));
  const path = Buffer.from('\0\0\0\x02/o', 'latin1');
  const version = Buffer.from('ffffffff', 'hex');
  const lines: string[] = [];
  for (const [what, type, body] of [
    ['deleteContainer', 20, path],
    ['createSession', -10, Buffer.alloc(4)],
    ['error', -1, Buffer.alloc(4)],
    ['200', 200, Buffer.alloc(4)],
    ['reconfig', 16, Buffer.from('ffffffffffffffffffffffffffffffffffffffff', 'hex')],
    [
      'setData of /zookeeper/config',
      5,
      Buffer.concat([Buffer.from('\0\0\0\x11/zookeeper/config', 'latin1'), version, version]),
    ],
    ['delete of /zookeeper', 2, Buffer.concat([Buffer.from('\0\0\0\x0a/zookeeper', 'latin1'), version])],
  ] as const) {
    const line = await wire.open();
    const said = outcome(await line.say(type, body));
    const alive = await line.ask('exists', { path: '/', watch: false });
    lines.push(`${what}: ${said}, then ${alive === undefined ? 'hung up' : 'alive'}`);
  }
  const line = await wire.open();
  const parts: MultiPart[] = [
    { type: 1, request: { path: '/p', data: DATA, acl: OPEN, flags: 0 } },
    { type: 5, request: { path: '/o', data: DATA, version: -1 } },
    { type: 1, request: { path: '/q', data: DATA, acl: OPEN, flags: 0 } },
  ];
  const { body } = await need(line.ask('multi', parts));
  const errs = OPERATIONS.multi.answer.read(new Reader(body)).map(({ err }) => NAMES.get(err) ?? err);
  const left = outcome(await line.ask('exists', { path: '/p', watch: false }));
  lines.push(`a multi with a part that is refused: ${errs.join(' ')}; its first part is there: ${left}`);
  return lines;
}
