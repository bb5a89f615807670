import { statSync } from 'node:fs';
import { packageVersion } from '../platform/version.ts';
import type { ServerConfig } from '../server/config.ts';

/** The compiled file's own date is that of the build. */
const buildDate = `${statSync(new URL(import.meta.url))
  .mtime.toISOString()
  .slice(0, 16)
  .replace('T', ' ')} UTC`;

/** The version that `srvr` and its like tell: tools take it for ZooKeeper's and read its numbers. */
export const reportedVersion = ({ reportedVersion: wish }: ServerConfig): string =>
  wish ?? `3.9.5-zoosh.${packageVersion()}, built on ${buildDate}`;
