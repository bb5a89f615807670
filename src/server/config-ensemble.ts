import { createHash } from 'node:crypto';
import { memberLines } from '../records/member-text.ts';
import type { Member } from '../records/txns.ts';
import type { Key } from './config-keys.ts';
import { type Membership, membership, parseDynamicFile } from './config-members.ts';
import type { Reader } from './config-reader.ts';
import { type Address, isServerId, type ServerLine } from './config-servers.ts';
import { ConfigError, type Origin, type Setting, showOrigin } from './config-text.ts';
import { type QuorumTls, quorumTls } from './config-tls.ts';
import { refuseOpenPeers } from './config-trust.ts';

/** What zoo.cfg says about an ensemble, and this server's place in it. Who counts is in the log once there is one. */
export interface EnsembleConfig {
  readonly sid: number;
  readonly role: Member['role'];
  /** This server's own line. */
  readonly own: ServerLine;
  /** Ascending by id. */
  readonly servers: readonly ServerLine[];
  /** The servers as members of a first config record, with group and weight, nobody's incarnation known. */
  readonly members: readonly Member[];
  /** The server, group and weight lines in canonical form, sorted: what the identity record keeps (foundations.md 13.14). */
  readonly lines: readonly string[];
  /**
   * Hash of who votes and with which weight: servers found an ensemble only with others of the same (foundations.md 13.13).
   * Addresses are left out, since machines may know each other, and themselves, under different names.
   */
  readonly linesHash: string;
  /** The zxid of the config that the lines were written from, by the name of the dynamic file; 0n for lines by hand. */
  readonly linesVersion: bigint;
  /** The file that the lines stand in when it is not zoo.cfg. */
  readonly dynamicConfigFile: string | undefined;
  /** Where this server listens for others, one or several addresses each. */
  readonly listen: { readonly quorum: readonly Address[]; readonly election: readonly Address[] };
  readonly multiAddress: boolean;

  /** Ticks from the end of an election until a learner is synchronised. */
  readonly initLimit: number;
  /** Ticks after which a silent learner is dropped. */
  readonly syncLimit: number;
  /** Ticks after which a silent leader is given up; may have a fraction. */
  readonly silenceTicks: number;
  /** For connecting to another server, and again for its greeting. */
  readonly connectTimeoutMs: number;
  /** For an election link that says nothing, ms; undefined: syncLimit ticks. */
  readonly voteSilenceMs: number | undefined;
  /** A vote is sent again after the first, then after twice as long, up to the second. */
  readonly notify: { readonly leastMs: number; readonly mostMs: number };
  /** How often a port that cannot be had is asked for; 0: for ever. */
  readonly bindAttempts: number;
  /** Transactions remembered for learners that come back. */
  readonly commitLogCount: number;
  /** So many learners may be under way to what this leader has, before observers have to come again. */
  readonly mostSyncs: { readonly snap: number; readonly diff: number };
  /** An observer that lost its leader calls the next one so many ms later. */
  readonly reconnectDelayMs: number;
  /** False: while leading, no client is served. */
  readonly leaderServes: boolean;
  /** True: a reconfiguration may not leave fewer than two voters. */
  readonly standaloneEnabled: boolean;

  /** The operator's name for the ensemble, the same on all members. */
  readonly name: string;
  readonly secretFile: string | undefined;
  /** How members know each other by certificates; undefined where they do not. */
  readonly tls: QuorumTls | undefined;
  /** The operator trusts the network between the servers. */
  readonly insecure: boolean;
  /** No secret, no certificates, and `insecure` does not say that this is meant. */
  readonly trustsAnyone: boolean;
}

/** What stands beside zoo.cfg; the caller reads it, since this room reads no file. */
export interface Beside {
  /** The content of the file `myid` in dataDir, or what was given in its place, and where. */
  readonly myid?: { readonly text: string; readonly from: Origin } | undefined;
  /** The file that dynamicConfigFile names. */
  readonly dynamic?: { readonly text: string; readonly file: string } | undefined;
  /** Names and addresses of this machine, in lower case, for who has no myid. */
  readonly here?: readonly string[];
  /** The file that java.security.auth.login.config names. */
  readonly jaas?: { readonly text: string; readonly file: string; readonly mode: number } | undefined;
}

/** How a server runs: alone, on a server line or without one, or as a member. */
export interface Form {
  readonly sid: number;
  /** Its own server line. */
  readonly own: ServerLine | undefined;
  readonly ensemble: EnsembleConfig | undefined;
  /** Every server, group and weight line, wherever it stands. */
  readonly lines: readonly Setting[];
}

/** Decides the form from the server, group and weight lines of zoo.cfg or its dynamic file. @throws ConfigError */
export function formOf(take: Reader, inFile: readonly Setting[], beside: Beside, notes: string[]): Form {
  const dynamic = dynamicLines(take, inFile, beside);
  const lines = dynamic?.settings ?? inFile;
  const multiAddress = take.flag('multiAddress.enabled');
  const members = membership(lines, multiAddress);
  const { servers } = members;
  const voters = servers.filter(({ role }) => role === 'participant').length;
  const mayStandAlone = take.flag('standaloneEnabled');
  const first = servers[0];
  if (first === undefined) {
    if (dynamic !== undefined)
      throw take.error(
        'dynamicConfigFile',
        `no server line in ${take.text('dynamicConfigFile')}`,
        'write the server lines into it, or remove dynamicConfigFile to run this server alone',
      );
    if (!mayStandAlone)
      throw take.error(
        'standaloneEnabled',
        'standaloneEnabled=false without a server line',
        'write the server lines, or remove it to run this server alone',
      );
    return { sid: sidOf(beside.myid) ?? 0, own: undefined, ensemble: undefined, lines };
  }
  if (voters === 0)
    throw new ConfigError('observers without a participant', 'make one server a participant', first.from);
  if (voters === 1 && mayStandAlone) {
    if (servers.length === 1) return { sid: first.id, own: first, ensemble: undefined, lines };
    throw new ConfigError(
      'observers beside a single participant, which would run alone',
      'set standaloneEnabled=false, or name more participants',
      servers.find(({ role }) => role === 'observer')?.from ?? first.from,
    );
  }
  if (voters === 2) notes.push('two voters tolerate no failure: three tolerate one');
  else if (voters % 2 === 0) notes.push(`${voters} voters tolerate no more failures than ${voters - 1}`);
  const ensemble = ensembleOf(take, members, dynamic?.version ?? 0n, beside, notes);
  return { sid: ensemble.sid, own: ensemble.own, ensemble, lines };
}

/** The lines of the dynamic file, undefined without one. Lines in both places contradict each other some day. */
function dynamicLines(
  take: Reader,
  inFile: readonly Setting[],
  beside: Beside,
): ReturnType<typeof parseDynamicFile> | undefined {
  const file = take.text('dynamicConfigFile');
  if (file === undefined) return undefined;
  const first = inFile[0];
  if (first !== undefined)
    throw new ConfigError(
      `${first.key} stands beside dynamicConfigFile`,
      'move the server lines into that file, or remove dynamicConfigFile',
      first,
    );
  const { dynamic } = beside;
  if (dynamic === undefined)
    throw take.error(
      'dynamicConfigFile',
      `no file ${file}`,
      'correct the path, or write the server lines in its place',
    );
  return parseDynamicFile(dynamic.text, dynamic.file);
}

/** The id in `myid`: the first line, 1 to 254. @throws ConfigError */
function sidOf(myid: Beside['myid']): number | undefined {
  if (myid === undefined) return undefined;
  const text = (/^[^\r\n]*/.exec(myid.text)?.[0] ?? '').trim();
  const sid = Number(text);
  if (/^\d{1,3}$/.test(text) && isServerId(sid)) return sid;
  throw new ConfigError(
    `the server id ${JSON.stringify(text.slice(0, 40))} is not a number from 1 to 254`,
    'write the id of this server, and nothing else, as its server line has it',
    { key: 'myid', from: myid.from },
  );
}

/** A command that can be pasted as it is and gives no server another's id. */
function howToWriteId(servers: readonly ServerLine[], dataDir: string, here: readonly string[]): string {
  const isHere = ({ quorum, election }: ServerLine): boolean =>
    [...quorum, ...election].some(({ host }) => here.includes(host.toLowerCase()));
  const [only, second] = servers.filter(isHere);
  const dir = /^[\w@%+=:,./-]+$/.test(dataDir) ? dataDir : `'${dataDir.replace(/'/g, `'"'"'`)}'`;
  const command = (id: string): string => `mkdir -p ${dir} && echo ${id} > ${dir}/myid`;
  const what = 'write the id of this server into it';
  if (only !== undefined && second === undefined) return `${what}: ${command(String(only.id))}`;
  return `${what}, which is the number behind "server." in its line: ${command('N')}, with that number for N`;
}

function ensembleOf(
  take: Reader,
  { servers, members }: Membership,
  linesVersion: bigint,
  beside: Beside,
  notes: string[],
): EnsembleConfig {
  const initLimit = take.int('initLimit');
  if (initLimit < 1) throw take.error('initLimit', 'initLimit is not set', 'give a number of ticks, 10 is usual');
  const syncLimit = take.int('syncLimit');
  if (syncLimit < 1) throw take.error('syncLimit', 'syncLimit is not set', 'give a number of ticks, 5 is usual');
  const sid = sidOf(beside.myid);
  if (sid === undefined)
    throw new ConfigError(
      `${take.text('dataDir')}/myid is missing, and ${servers.length} servers are named`,
      howToWriteId(servers, take.text('dataDir') ?? '', beside.here ?? []),
      { key: 'myid' },
    );
  const own = servers.find(({ id }) => id === sid);
  if (own === undefined)
    throw new ConfigError(
      `this server has the id ${sid}, and there is no line server.${sid}`,
      `correct its myid (there are ${servers.map(({ id }) => id).join(', ')}), or write that line`,
      { key: 'myid', from: beside.myid?.from },
    );
  const given = take.text('peerType')?.toLowerCase();
  if (take.origin('peerType') !== undefined && given !== own.role)
    notes.push(
      `peerType=${given}, and ${own.from.key} (${showOrigin(own.from.from)}) says ${own.role}: the server line counts`,
    );
  const tls = quorumTls(take, notes);
  const listen = listenOn(own, take.flag('quorumListenOnAllIPs'));
  const secretFile = take.text('peer.secretFile');
  const insecure = take.flag('peer.insecure');
  const haveProof = secretFile !== undefined || (tls !== undefined && !tls.takesPlain);
  refuseOpenPeers(
    [...[...listen.quorum, ...listen.election], ...servers.flatMap(({ quorum }) => quorum)].map(({ host }) => host),
    haveProof,
    insecure,
  );
  const silence = take.int('leader.silenceTicks');
  const notifyMs = take.atLeast('fastleader.minNotificationInterval', 1);
  const voteSilence = take.int('quorumCnxnTimeoutMs');
  return {
    ...{ sid, role: own.role, own, servers, members, linesVersion, listen },
    lines: memberLines(members),
    linesHash: hashOf(members),
    dynamicConfigFile: take.text('dynamicConfigFile'),
    multiAddress: take.flag('multiAddress.enabled'),
    ...{ initLimit, syncLimit },
    silenceTicks: silence > 0 ? silence : Math.max(2, Math.floor(syncLimit / 2)),
    connectTimeoutMs: take.atLeast('cnxTimeout', 1),
    voteSilenceMs: voteSilence < 1 ? undefined : voteSilence,
    notify: { leastMs: notifyMs, mostMs: take.atLeast('fastleader.maxNotificationInterval', notifyMs) },
    bindAttempts: take.atLeast('electionPortBindRetry', 0),
    commitLogCount: take.atLeast('commitLogCount', 1),
    mostSyncs: {
      snap: take.atLeast('leader.maxConcurrentSnapSyncs', 1),
      diff: take.atLeast('leader.maxConcurrentDiffSyncs', 1),
    },
    reconnectDelayMs: take.atLeast('observer.reconnectDelayMs', 0),
    leaderServes: !take.is('leaderServes', 'no'),
    standaloneEnabled: take.flag('standaloneEnabled'),
    name: nameOf(take),
    ...{ secretFile, tls, insecure, trustsAnyone: !haveProof && !insecure },
  };
}

/** Bytes of an ensemble's name: what members tell each other has that much room for it. */
const MOST_NAME = 64;

function nameOf(take: Reader): string {
  const name = take.text('peer.ensembleName') ?? 'zoosh';
  const bytes = new TextEncoder().encode(name).length;
  if (bytes > 0 && bytes <= MOST_NAME) return name;
  throw take.error(
    'peer.ensembleName',
    `a name of ${bytes} bytes`,
    `give a shorter one, ${MOST_NAME} at most, the same on all members`,
  );
}

/** The addresses of the line, or every address of the machine. */
function listenOn({ quorum, election }: ServerLine, everywhere: boolean): EnsembleConfig['listen'] {
  const on = (addresses: readonly Address[]): Address[] => {
    if (!everywhere) return [...addresses];
    const host = addresses.every((each) => each.host.includes(':')) ? '::' : '0.0.0.0';
    return [...new Set(addresses.map(({ port }) => port))].map((port) => ({ host, port }));
  };
  return { quorum: on(quorum), election: on(election) };
}

function hashOf(members: readonly Member[]): string {
  const who = members.map(({ sid, role, group, weight }) => [sid, role, group ?? null, weight ?? 1]);
  return createHash('sha256').update(JSON.stringify(who)).digest('hex').slice(0, 16);
}

/** The files that the caller is to read, if they are there, and hand to checkConfig: the settings that name them. */
export function namedFiles(settings: readonly Setting[]): {
  readonly dataDir: string | undefined;
  readonly dynamicConfigFile: string | undefined;
  readonly jaasFile: string | undefined;
} {
  const last = (key: Key): string | undefined =>
    settings.findLast((setting) => setting.key === key || setting.key === `zookeeper.${key}`)?.value || undefined;
  const jaasFile = last('java.security.auth.login.config');
  return { dataDir: last('dataDir'), dynamicConfigFile: last('dynamicConfigFile'), jaasFile };
}
