import { X509Certificate } from 'node:crypto';
import { statfsSync } from 'node:fs';
import type { Figure } from './figure.ts';
import type { Certificates } from './tally.ts';
import type { WordContext } from './words/context.ts';

/** Undefined where the system does not say, as of a folder that is not there. */
function roomIn(folder: string): { readonly free: number; readonly size: number } | undefined {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch {
    return undefined;
  }
}
/** s since 1970 until which the first certificate of `chain` (PEM) holds; undefined when it cannot be read. */
function endOf(chain: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(chain).validTo) / 1000;
  } catch {
    return undefined;
  }
}

/** What ZooKeeper does not tell and who watches a server should know: how near it is to what would stop it. */
export function ownFigures({ server, config, tally, damage, learners }: WordContext): Figure[] {
  const all: Figure[] = [];
  const add = (name: string, help: string, value: number | undefined, key?: string): void => {
    if (value !== undefined) all.push({ name, help, kind: 'gauge', value, ...(key !== undefined && { key }) });
  };
  add('scrub_rounds', 'rounds of the background verification since the start', tally.scrub.rounds);
  add('scrub_files_whole', 'files that the last of these found whole', tally.scrub.whole);
  add(
    'memory_full',
    '1 while new sessions, writes and watches are refused since memory is short',
    server.pressure.full ? 1 : 0,
  );
  add('damage_found', 'damaged files and records found since the start', damage.all.length);
  add('damage_open', 'of these, not mended', damage.all.filter(({ mended }) => mended === undefined).length);
  const { committedAt } = tally;
  add('last_commit_ms', 'ms since something was committed', committedAt && Math.round(server.now - committedAt));
  add('disk_refused', '1 when the disk refused the newest write to the log', tally.diskFailed ? 1 : 0);
  const { dataDir, dataLogDir } = config;
  for (const key of dataLogDir === dataDir ? (['data'] as const) : (['data', 'log'] as const)) {
    const room = roomIn(key === 'data' ? dataDir : dataLogDir);
    add('disk_free_bytes', 'bytes free on the disk of dataDir, or of dataLogDir', room?.free, key);
    add('disk_size_bytes', 'bytes of that disk', room?.size, key);
  }
  for (const [whom, chain] of Object.entries(tally.shown) as [keyof Certificates, string][])
    add('certificate_ends', 's since 1970 until which the certificate holds that is shown', endOf(chain), whom);
  const { peer } = server;
  if (!peer.isMember) return all;
  if (peer.role !== 'leading')
    add(
      'clock_ahead_ms',
      "ms by which this member's clock is ahead of its leader's, with the way from there",
      tally.ahead.least(server.now),
    );
  add('quorum_slack', 'voters in step that may be lost, whichever, and writes go on', peer.audience?.slack);
  for (const { sid, behind } of learners())
    add('learner_behind', 'transactions that a voter in step does not have on its disk yet', behind, String(sid));
  return all;
}
