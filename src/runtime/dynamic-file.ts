import { copyFile, open, readFile, rename } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../records/txns.ts';
import { dynamicFileOf, repointed } from '../server/dynamic-file.ts';

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
  const hasClient = config.members.some((member) => member.sid === sid && member.client !== null);
  const after = repointed(before, dynamic.file, hasClient);
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
