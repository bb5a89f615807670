import type { Stats } from 'node:fs';
import { type FileHandle, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import type { Config } from '../records/txns.ts';
import type { EnsembleConfig } from '../server/config.ts';
import { dynamicFileOf, repointed, seenFrom } from '../server/dynamic-file.ts';
import type { Logger } from './log.ts';

/** Keeps the files of a member up to date with the configs it is told, one write at a time, the newest last. */
export class DynamicFiles {
  private readonly configFile: string;
  private readonly own: Pick<EnsembleConfig, 'sid' | 'members'>;
  private readonly logger: Pick<Logger, 'warn'>;
  private version: bigint;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    configFile: string,
    own: Pick<EnsembleConfig, 'sid' | 'members' | 'linesVersion'>,
    logger: Pick<Logger, 'warn'>,
  ) {
    this.configFile = configFile;
    this.own = own;
    this.logger = logger;
    this.version = own.linesVersion;
  }
  /** A server that was removed keeps its last file, and can start with it to be asked back. */
  readonly configured = (config: Config, version: bigint): void => {
    const { configFile, own } = this;
    const { sid } = own;
    const isMember = config.members.some((member) => member.sid === sid && member.addresses.length > 0);
    if (version <= this.version || !isMember) return;
    this.version = version;
    this.writing = this.writing
      .then(() => writeDynamicFile({ configFile, config: seenFrom(own, config), version, sid }))
      .catch(({ message }: Error) =>
        this.logger.warn(`the dynamic file of config ${version.toString(16)} cannot be written: ${message}`),
      );
  };
  /** Resolves when nothing is being written. */
  idle(): Promise<void> {
    return this.writing;
  }
}

/**
 * Writes the dynamic file of a config beside zoo.cfg and points zoo.cfg at it; the first time, what zoo.cfg was is kept as
 * `zoo.cfg.bak`. Where zoo.cfg is a link, all of it is done to the file that it leads to. Each file is replaced whole, the dynamic
 * one first; zoo.cfg may hold passwords, so nobody may read more of them than may read zoo.cfg. The log, not these files, says who
 * counts: a folder that cannot be written is the caller's to remark on. Rejects with the errno's Error.
 */
export async function writeDynamicFile(options: {
  readonly configFile: string;
  readonly config: Config;
  /** The zxid of its record. */
  readonly version: bigint;
  /** This server, whose client port may have moved into the file. */
  readonly sid: number;
}): Promise<void> {
  const { config, version, sid } = options;
  const configFile = await realpath(options.configFile);
  const dynamic = dynamicFileOf(configFile, config, version);
  const bytes = await readFile(configFile);
  const before = bytes.toString('utf8');
  const access = await stat(configFile);
  const own = config.members.find((member) => member.sid === sid);
  const after = repointed(before, dynamic.file, own?.client ?? undefined);
  await replace(dynamic.file, dynamic.text, access);
  if (after === before) return;
  if (!/^\s*dynamicConfigFile\b/m.test(before)) await replace(`${configFile}.bak`, bytes, access);
  await replace(configFile, after, access);
}

type Access = Pick<Stats, 'mode' | 'uid' | 'gid'>;

/** Replaces `file` by one that is as accessible as it says; until it is whole it is ours alone. */
async function replace(file: string, text: string | Buffer, access: Access): Promise<void> {
  const beside = `${file}.tmp`;
  await rm(beside, { force: true }); // what a killed process left may be open to others
  const handle = await open(beside, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await give(handle, access);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
}
/** Only root gives files away; a group that cannot be kept loses its rights, since another would have them. */
async function give(file: FileHandle, { mode, uid, gid }: Access): Promise<void> {
  const isSame = await file
    .chown(uid, gid)
    .catch(async () => file.chown((await file.stat()).uid, gid))
    .then(
      () => true,
      () => false,
    );
  await file.chmod(mode & (isSame ? 0o777 : 0o707));
}
