/** Quotas as every ZooKeeper client keeps them: texts in nodes below /zookeeper/quota. */
import { plural } from '../shell/units.ts';

export const QUOTA_ROOT = '/zookeeper/quota';
export const limitsPath = (path: string): string => `${QUOTA_ROOT}${path === '/' ? '' : path}/zookeeper_limits`;
export const statsPath = (path: string): string => `${QUOTA_ROOT}${path === '/' ? '' : path}/zookeeper_stats`;

/** -1 means none. */
export interface Quota {
  readonly count: number;
  readonly bytes: number;
  readonly hardCount: number;
  readonly hardBytes: number;
}
export const NO_QUOTA: Quota = { count: -1, bytes: -1, hardCount: -1, hardBytes: -1 };

/** Reads `count=5,bytes=100=;byteHardLimit=50;countHardLimit=3`, the stray `=` included. */
export function parseQuota(text: string): Quota {
  const number = (name: string): number => Number(new RegExp(`(?:^|[,;=])${name}=(-?\\d+)`).exec(text)?.[1] ?? -1);
  return {
    count: number('count'),
    bytes: number('bytes'),
    hardCount: number('countHardLimit'),
    hardBytes: number('byteHardLimit'),
  };
}

/** `1,000 nodes (soft), 10,000,000 bytes (hard)`, for people. */
export function quotaWords({ count, bytes, hardCount, hardBytes }: Quota): string {
  const words = [
    ...(count > -1 ? [`${plural(count, 'node')} (soft)`] : []),
    ...(hardCount > -1 ? [`${plural(hardCount, 'node')} (hard)`] : []),
    ...(bytes > -1 ? [`${plural(bytes, 'byte')} (soft)`] : []),
    ...(hardBytes > -1 ? [`${plural(hardBytes, 'byte')} (hard)`] : []),
  ];
  return words.join(', ') || 'none';
}

/** The same text other clients write. */
export function formatQuota({ count, bytes, hardCount, hardBytes }: Quota): string {
  const hard = [
    ...(hardBytes > -1 ? [`byteHardLimit=${hardBytes}`] : []),
    ...(hardCount > -1 ? [`countHardLimit=${hardCount}`] : []),
  ];
  return hard.length === 0 ? `count=${count},bytes=${bytes}` : `count=${count},bytes=${bytes}=;${hard.join(';')}`;
}
