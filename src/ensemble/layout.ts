import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { makeFolders } from '../base/make-folders.ts';
import { Failure, usage } from '../shell/failure.ts';

/** Distances of a member's other ports from its client port. */
export const PORT_STEPS = { quorum: 100, election: 200, admin: 300 } as const;
/** More than so many members, and the ports of one kind would run into those of the next. */
export const MOST_MEMBERS = 100;

/** A member as ensemble.json has it. */
export interface MemberFile {
  readonly id: number;
  readonly role: 'participant' | 'observer';
  readonly client: number;
  /** Path of its control socket. */
  readonly control: string;
}
/** ensemble.json. */
export interface EnsembleFile {
  readonly format: 1;
  readonly name: string;
  readonly host: string;
  readonly basePort: number;
  /** Holds `member-N`. */
  readonly data: string;
  /** Where control sockets lie when their paths within `data` would be too long for the system. */
  readonly sockets?: string | undefined;
  /** Lines for every zoo.cfg. */
  readonly settings: readonly string[];
  readonly created: string;
  readonly members: readonly MemberFile[];
}
/** Faults that are to be in force, so that a member that is started again gets them, too. */
export interface FaultsFile {
  readonly groups?: readonly (readonly number[])[];
  readonly clients?: boolean;
  /** ms by member. */
  readonly lag?: Readonly<Record<string, number>>;
}

export const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
/** Words that stand for members, and so cannot name ensembles. */
export const MEMBER_WORDS: ReadonlySet<string> = new Set(['leader', 'follower', 'observer', 'random']);

/** @throws Failure (2) */
export function checkName(name: string): string {
  if (NAME.test(name) && !MEMBER_WORDS.has(name)) return name;
  throw usage(
    `an ensemble cannot be called ${name}`,
    'a letter, then letters, digits, dots and dashes; not leader, follower, observer, random',
  );
}

export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Files of one local ensemble. */
export class EnsembleFolder {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
  get exists(): boolean {
    return existsSync(this.file);
  }
  private get file(): string {
    return join(this.path, 'ensemble.json');
  }
  /** @throws Failure (2) when there is none, or the file is not ours */
  read(): EnsembleFile {
    let text: string;
    try {
      text = readFileSync(this.file, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR')
        throw usage(`there is no ensemble in ${this.path}`, 'zoosh ensemble list shows those there are');
      throw new Failure(40, 'CannotRead', `${this.file} cannot be read: ${code}`);
    }
    let found: EnsembleFile | undefined;
    try {
      found = JSON.parse(text) as EnsembleFile;
    } catch {
      // said below
    }
    if (!isWhole(found))
      throw new Failure(43, 'BadFile', `${this.file} is not a file of this version of zoosh`, {
        hint: `zoosh ensemble destroy ${basename(this.path)} removes that ensemble`,
      });
    return found;
  }
  write(file: EnsembleFile): void {
    replaceFile(this.file, `${JSON.stringify(file, null, 2)}\n`, 0o644);
  }
  get faults(): FaultsFile {
    try {
      return JSON.parse(readFileSync(join(this.path, 'faults.json'), 'utf8')) as FaultsFile;
    } catch {
      return {};
    }
  }
  set faults(faults: FaultsFile) {
    const file = join(this.path, 'faults.json');
    if (Object.keys(faults).length === 0) rmSync(file, { force: true });
    else replaceFile(file, `${JSON.stringify(faults)}\n`, 0o644);
  }
  /** The secret of its members, base64. */
  get secretFile(): string {
    return join(this.path, 'secret');
  }
  /** The password of the user `super`, who may change the configuration. */
  get superPassword(): string {
    return readFileSync(join(this.path, 'super'), 'utf8').trim();
  }
  /** Makes the secrets of a new ensemble. */
  makeSecrets(): void {
    writeFileSync(this.secretFile, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
    writeFileSync(join(this.path, 'super'), `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  }
}

const isWhole = (file: EnsembleFile | undefined): file is EnsembleFile =>
  file?.format === 1 &&
  [file.name, file.host, file.data, file.created].every((text) => typeof text === 'string') &&
  Array.isArray(file.settings) &&
  Array.isArray(file.members) &&
  file.members.every(
    (each) => Number.isInteger(each?.id) && Number.isInteger(each.client) && typeof each.control === 'string',
  );

function replaceFile(file: string, text: string, mode: number): void {
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, text, { mode });
  renameSync(draft, file);
}

/** Names of the ensembles below a folder, sorted. */
export function ensembleNames(root: string): string[] {
  try {
    return readdirSync(root)
      .filter((name) => NAME.test(name) && existsSync(join(root, name, 'ensemble.json')))
      .sort();
  } catch {
    return [];
  }
}

/** What clients of one of them connect to; undefined: there is none of that name. */
export function connectStringOf(root: string, name: string): string | undefined {
  if (!ensembleNames(root).includes(name)) return undefined;
  return connectString(new EnsembleFolder(join(root, name)).read());
}

/** Numbers that members of any of them have. */
export function memberIds(root: string): string[] {
  const ids = new Set<number>();
  for (const name of ensembleNames(root))
    try {
      for (const { id } of new EnsembleFolder(join(root, name)).read().members) ids.add(id);
    } catch {
      // none of ours
    }
  return [...ids].sort((a, b) => a - b).map(String);
}

export const memberFolder = (file: Pick<EnsembleFile, 'data'>, id: number): string => join(file.data, `member-${id}`);
export const portsOf = ({ client }: Pick<MemberFile, 'client'>) => ({
  client,
  quorum: client + PORT_STEPS.quorum,
  election: client + PORT_STEPS.election,
  admin: client + PORT_STEPS.admin,
});
/** What clients connect to: all members, voters first. */
export const connectString = ({ host, members }: Pick<EnsembleFile, 'host' | 'members'>): string =>
  members.map(({ client }) => `${bracketed(host)}:${client}`).join(',');
export const votersOf = ({ members }: Pick<EnsembleFile, 'members'>): MemberFile[] =>
  members.filter(({ role }) => role === 'participant');

/**
 * Where the control sockets of an ensemble lie: beside each member's other files, or in a folder of their own below the
 * system's temporary one when those paths are longer than a socket's may be.
 */
export function socketFolder(data: string): string | undefined {
  const longest = join(data, `member-${MOST_MEMBERS}`, 'control.sock');
  if (Buffer.byteLength(longest) <= MOST_SOCKET_BYTES) return undefined;
  const folder = join(tmpdir(), `zoosh-${randomBytes(6).toString('hex')}`);
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}
/** 107 on Linux, 103 on macOS. */
const MOST_SOCKET_BYTES = 103;
export const controlPath = (file: Pick<EnsembleFile, 'data' | 'sockets'>, id: number): string =>
  file.sockets === undefined ? join(memberFolder(file, id), 'control.sock') : join(file.sockets, `${id}.sock`);

/** One `server.N=` line. */
export const serverLine = (host: string, member: MemberFile): string => {
  const { client, quorum, election } = portsOf(member);
  const at = bracketed(host);
  return `server.${member.id}=${at}:${quorum}:${election}:${member.role};${at}:${client}`;
};

/** The zoo.cfg of a member; server lines of all members of that moment. */
export function configText(file: EnsembleFile, member: MemberFile, folder: EnsembleFolder): string {
  const digest = createHash('sha1').update(`super:${folder.superPassword}`).digest('base64');
  return [
    `# member ${member.id} of the ensemble ${file.name}, written by zoosh`,
    'tickTime=2000',
    'initLimit=10',
    'syncLimit=5',
    `dataDir=${join(memberFolder(file, member.id), 'data')}`,
    'standaloneEnabled=false',
    'reconfigEnabled=true',
    '4lw.commands.whitelist=*',
    `admin.serverAddress=${file.host}`,
    `admin.serverPort=${portsOf(member).admin}`,
    `peer.ensembleName=${file.name}`,
    `peer.secretFile=${folder.secretFile}`,
    `DigestAuthenticationProvider.superDigest=super:${digest}`,
    ...(member.role === 'observer' ? ['peerType=observer'] : []),
    ...file.settings,
    ...file.members.map((each) => serverLine(file.host, each)),
    '',
  ].join('\n');
}

/** Makes the files of one member. */
export function makeMember(file: EnsembleFile, member: MemberFile, folder: EnsembleFolder): void {
  const own = memberFolder(file, member.id);
  makeFolders(join(own, 'data'), { mkdirSync, statSync });
  // it holds the digest of the super user's password
  writeFileSync(join(own, 'zoo.cfg'), configText(file, member, folder), { mode: 0o600 });
  writeFileSync(join(own, 'data', 'myid'), `${member.id}\n`);
}
