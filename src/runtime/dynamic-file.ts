import { copyFile, open, readFile, rename } from 'node:fs/promises';
import { resolve } from 'node:path';
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
 * `zoo.cfg.bak`. Each file is replaced whole, the dynamic one first. The log, not these files, says who counts: a folder that
 * cannot be written is the caller's to remark on. Rejects with the errno's Error.
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
  const configFile = resolve(options.configFile);
  const dynamic = dynamicFileOf(configFile, config, version);
  const before = await readFile(configFile, 'utf8');
  const own = config.members.find((member) => member.sid === sid);
  const after = repointed(before, dynamic.file, own?.client ?? undefined);
  await replace(dynamic.file, dynamic.text);
  if (after === before) return;
  if (!/^\s*dynamicConfigFile\b/m.test(before)) await copyFile(configFile, `${configFile}.bak`);
  await replace(configFile, after);
}

async function replace(file: string, text: string): Promise<void> {
  const beside = `${file}.tmp`;
  const handle = await open(beside, 'w', 0o644);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
}
