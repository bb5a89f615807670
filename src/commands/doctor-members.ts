/** What may be wrong with the servers of an ensemble. */
import { quorumOf } from '../shell/members.ts';
import { plural, showAge, showBytes, showCount } from '../shell/units.ts';
import type { Look, Skew } from './doctor-look.ts';

export type Verdict = 'ok' | 'warn' | 'FAIL';
export interface Finding {
  readonly verdict: Verdict;
  readonly what: string;
  /** What to do about it. */
  readonly fix?: string;
}

const SLOW_MS = 100;
/** The first requests of a server's life are slow ones, and say nothing of the others. */
const FEW_REQUESTS = 100;
/** Clocks this far apart make log lines and ages of two machines hard to compare. */
const SKEW_MS = 1000;
const DAY = 86_400_000;
const CERTIFICATE_DAYS = 30;
const SNAPSHOT_DAYS = 7;
/** With so much log nobody purges it. */
const LOG_BYTES = 2 * 1024 ** 3;
const FREE_SHARE = 0.1;
const FREE_BYTES = 100 * 1024 ** 2;

const isUp = ({ report, refusal }: Look): boolean => report.role !== undefined || refusal === undefined;
const hostsOf = (looks: readonly Look[]): string => looks.map(({ report }) => report.host).join(' ');

const serving = (up: readonly Look[], all: readonly Look[]): string =>
  `${up.length} of ${plural(all.length, 'server')} ${all.length === 1 ? 'serves' : 'serve'}`;

export function serverFindings(looks: readonly Look[]): Finding[] {
  const found: Finding[] = [];
  const up = looks.filter(isUp);
  const leader = up.find(({ report }) => report.role === 'leader');
  if (!quorumOf(looks.map((look) => ({ isObserver: look.report.member.isObserver, serves: isUp(look) }))))
    found.push({ verdict: 'FAIL', what: `no quorum: ${serving(up, looks)}` });
  else
    found.push({
      verdict: up.length === looks.length ? 'ok' : 'warn',
      what: `${serving(up, looks)}${leader === undefined ? '' : `, leader ${leader.report.host}`}`,
    });
  for (const { report, refusal } of looks)
    if (report.role === undefined && refusal !== undefined)
      found.push({ verdict: 'FAIL', what: `${report.host}: ${report.fault}`, fix: 'start it, or look at its log' });
    else if (refusal !== undefined)
      found.push({
        verdict: 'FAIL',
        what: `${report.host} says it serves, but takes no session: ${refusal}`,
        fix: 'maxClientCnxns, TLS and login are what it may lack',
      });
  const versions = [...new Set(up.flatMap(({ report }) => report.version ?? []))];
  if (versions.length > 0)
    found.push(
      versions.length === 1
        ? { verdict: 'ok', what: `same version ${versions[0]} everywhere` }
        : { verdict: 'warn', what: `several versions: ${versions.join(', ')}`, fix: 'bring all servers to one' },
    );
  const voters = looks.filter(({ report }) => !report.member.isObserver).length;
  if (voters > 1 && voters % 2 === 0)
    found.push({
      verdict: 'warn',
      what: `${voters} voters bear no more failures than ${voters - 1}`,
      fix: 'an odd number of voters',
    });
  found.push(...progressFindings(up), ...loadFindings(up));
  return found;
}

/** Epochs and how far the servers are apart. */
function progressFindings(up: readonly Look[]): Finding[] {
  const zxids = up.flatMap(({ report }) => report.zxid ?? []).sort((a, b) => (a < b ? -1 : 1));
  const lag = (zxids.at(-1) ?? 0n) - (zxids[0] ?? 0n);
  const epochs = new Set(zxids.map((zxid) => zxid >> 32n));
  if (epochs.size > 1)
    return [{ verdict: 'FAIL', what: `servers in ${epochs.size} epochs: one of them is cut off`, fix: 'status' }];
  if (up.length < 2) return [];
  return [
    {
      verdict: lag > 1000n ? 'warn' : 'ok',
      what: `the last server is ${plural(Number(lag), 'change')} behind the first`,
    },
  ];
}

function loadFindings(up: readonly Look[]): Finding[] {
  const found: Finding[] = [];
  for (const { report } of up) {
    const { host, latency, outstanding = 0, uptimeMs, watches = 0, received = 0 } = report;
    if (latency !== undefined && latency.average > SLOW_MS && received > FEW_REQUESTS)
      found.push({
        verdict: 'FAIL',
        what: `${host} takes ${latency.average.toFixed(1)}ms on average`,
        fix: 'a disk of its own for the transaction log',
      });
    else if (latency !== undefined && latency.max > 1000)
      found.push({
        verdict: 'warn',
        what: `${host} took ${showCount(latency.max)}ms once since its start; average ${latency.average.toFixed(1)}ms`,
      });
    if (outstanding > 100)
      found.push({ verdict: 'warn', what: `${host} has ${showCount(outstanding)} requests waiting` });
    if (uptimeMs !== undefined && uptimeMs < 60_000)
      found.push({ verdict: 'warn', what: `${host} was started less than a minute ago` });
    if (watches > 100_000) found.push({ verdict: 'warn', what: `${host} keeps ${showCount(watches)} watches` });
  }
  const counts = up.flatMap(({ report }) => report.watches ?? []);
  if (counts.length > 0)
    found.push({
      verdict: 'ok',
      what: `${plural(
        counts.reduce((sum, each) => sum + each, 0),
        'watch',
        'watches',
      )} set`,
    });
  return found;
}

/** How their clocks are to ours; `skews` and `forbidden` words in the order of `looks`. */
export function clockFindings(
  looks: readonly Look[],
  skews: readonly (Skew | undefined)[],
  forbidden: readonly (readonly string[])[],
): Finding[] {
  const found: Finding[] = [];
  const known = skews.flatMap((skew) => skew ?? []);
  const near = known.filter(({ least, most }) => Math.max(least, -most, 0) <= SKEW_MS);
  if (near.length > 0 && near.length === known.length)
    found.push({
      verdict: 'ok',
      what: `clocks of ${plural(near.length, 'server')} and of this machine within ${showMs(bound(near))}`,
    });
  for (const [at, skew] of skews.entries()) {
    const host = looks[at]?.report.host ?? '';
    const sure = skew === undefined ? 0 : Math.max(skew.least, -skew.most, 0);
    if (skew !== undefined && sure > SKEW_MS)
      found.push({
        verdict: 'warn',
        what: `the clock of ${host} is ${showMs(sure)} ${skew.least > 0 ? 'ahead of' : 'behind'} this machine's`,
        fix: 'ntp or chrony on both',
      });
  }
  // one that may not be asked is told of with the words
  const silent = looks.filter((look, at) => isUp(look) && skews[at] === undefined && !forbidden[at]?.includes('cons'));
  if (silent.length > 0)
    found.push({
      verdict: 'warn',
      what: `the clock of ${hostsOf(silent)} is not known: cons does not list our session`,
    });
  return found;
}
const bound = (skews: readonly Skew[]): number =>
  Math.max(...skews.flatMap(({ least, most }) => [Math.abs(least), Math.abs(most)]));
const showMs = (ms: number): string =>
  ms < 1000 ? `${Math.ceil(ms)}ms` : ms < 120_000 ? `${(ms / 1000).toFixed(1)}s` : `${Math.round(ms / 60_000)}m`;

/** What of the words and the AdminServer can be asked; `forbidden` in the order of `looks`. */
export function accessFindings(
  looks: readonly Look[],
  forbidden: readonly (readonly string[])[],
  adminPort: number,
): Finding[] {
  const up = looks.flatMap((look, at) => (isUp(look) ? [{ look, words: forbidden[at] ?? [] }] : []));
  const answering = up.filter(({ look }) => look.admin);
  const blind = up.filter(({ look, words }) => words.length > 0 && (!look.admin || look.adminRefuses === true));
  const hosts = (all: typeof up): string => hostsOf(all.map(({ look }) => look));
  return [
    ...(answering.length > 0
      ? [{ verdict: 'ok', what: `an AdminServer answers on port ${adminPort} of ${hosts(answering)}` } as const]
      : []),
    ...(answering.length === 0 && up.length > 0 && blind.length === 0
      ? [{ verdict: 'ok', what: `no AdminServer on port ${adminPort}; four-letter words are asked instead` } as const]
      : []),
    ...[true, false].flatMap((refuses) => {
      const blinded = blind.filter(({ look }) => (look.adminRefuses === true) === refuses);
      return [...new Set(blinded.map(({ words }) => words.join(', ')))].map((words): Finding => {
        const same = blinded.filter((each) => each.words.join(', ') === words);
        const why = refuses
          ? `the AdminServer on port ${adminPort} wants a login`
          : `no AdminServer on port ${adminPort}`;
        return {
          verdict: 'warn',
          what: `${hosts(same)}: ${words} not allowed, and ${why}: clocks, clients, watches and disks are not known`,
          fix: `4lw.commands.whitelist=srvr,mntr,cons,conf,dirs, or ${refuses ? 'addauth digest' : '--admin-port PORT'}`,
        };
      });
    }),
  ];
}

/** `secrets`: passwords are presented. */
export function tlsFindings(
  looks: readonly Look[],
  { wanted, insecure, secrets, now }: { wanted: boolean; insecure: boolean; secrets: boolean; now: number },
): Finding[] {
  if (!wanted) {
    const far = looks.filter(({ report }) => !isLoopback(report.member.server.host));
    return secrets && far.length > 0
      ? [{ verdict: 'warn', what: `passwords go to ${hostsOf(far)} in the clear`, fix: '--tls, where servers have it' }]
      : [{ verdict: 'ok', what: 'TLS is not in use' }];
  }
  const found: Finding[] = [];
  const good: { protocol: string; days: number | undefined }[] = [];
  for (const { report, tls } of looks) {
    if (tls === undefined) continue;
    const { host } = report;
    if ('fault' in tls) {
      found.push({ verdict: 'FAIL', what: `${host}: TLS: ${tls.fault}`, fix: 'its certificate, or --tls-ca' });
      continue;
    }
    const { protocol, from = now, until, name } = tls;
    const days = until === undefined ? undefined : Math.floor((until - now) / DAY);
    const its = `the certificate of ${host}${name === undefined ? '' : ` (${name})`}`;
    if (from > now) found.push({ verdict: 'FAIL', what: `${its} is good only from ${dateOf(from)}` });
    else if (until !== undefined && until < now)
      found.push({ verdict: 'FAIL', what: `${its} ended on ${dateOf(until)}`, fix: 'a new certificate' });
    else if (until !== undefined && days !== undefined && days < CERTIFICATE_DAYS)
      found.push({
        verdict: 'warn',
        what: `${its} ends in ${plural(days, 'day')}, on ${dateOf(until)}`,
        fix: 'a new certificate',
      });
    else good.push({ protocol, days });
  }
  if (good.length > 0) {
    const least = Math.min(...good.flatMap(({ days }) => days ?? []));
    const protocols = [...new Set(good.map(({ protocol }) => protocol))].sort().join(', ');
    found.push({
      verdict: 'ok',
      what: `${protocols} with ${plural(good.length, 'server')}${Number.isFinite(least) ? `; certificates are good for ${plural(least, 'day')}` : ''}`,
    });
  }
  if (insecure)
    found.push({
      verdict: 'warn',
      what: 'nobody checks who the servers are (--tls-insecure)',
      fix: '--tls-ca with the certificate of their authority',
    });
  return found;
}
const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

export function diskFindings(looks: readonly Look[], now: number): Finding[] {
  const found: Finding[] = [];
  for (const { report, disk } of looks) {
    if (disk === undefined) continue;
    const { host } = report;
    const { dataBytes, logBytes, snapshotAt, room } = disk;
    const share = room === undefined ? 1 : room.free / Math.max(1, room.total);
    const percent = `${Math.floor(share * 100)}%`;
    const isFull = room !== undefined && (room.free < FREE_BYTES || share < FREE_SHARE / 5);
    const isOld = typeof snapshotAt === 'number' && now - snapshotAt > SNAPSHOT_DAYS * DAY;
    const isLong = (logBytes ?? 0) > LOG_BYTES;
    if (room !== undefined && (isFull || share < FREE_SHARE))
      found.push({
        verdict: isFull ? 'FAIL' : 'warn',
        what: `${host} has ${showBytes(room.free)} (${percent}) left on its disk`,
        fix: 'room, before it stops; autopurge.purgeInterval',
      });
    if (isLong)
      found.push({
        verdict: 'warn',
        what: `${host} keeps ${showBytes(logBytes ?? 0)} of transaction log`,
        fix: 'autopurge.purgeInterval and autopurge.snapRetainCount',
      });
    if (isOld)
      found.push({
        verdict: 'warn',
        what: `${host} wrote its last snapshot ${showAge(snapshotAt, now)}: a start reads all its log since`,
        fix: 'snapCount',
      });
    const parts = [
      ...(dataBytes !== undefined ? [`${showBytes(dataBytes)} of data`] : []),
      ...(logBytes !== undefined ? [`${showBytes(logBytes)} of log`] : []),
      ...(snapshotAt === 'none' ? ['no snapshot yet'] : []),
      ...(typeof snapshotAt === 'number' ? [`last snapshot ${showAge(snapshotAt, now)}`] : []),
      room === undefined ? 'free space is seen only on its machine' : `${showBytes(room.free)} (${percent}) free`,
    ];
    if (!isFull && !isLong && !isOld && share >= FREE_SHARE)
      found.push({ verdict: 'ok', what: `disk of ${host}: ${parts.join(', ')}` });
  }
  return found;
}
