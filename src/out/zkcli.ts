/** Results in zkCli's texts, for `-o zkcli` and for the commands of its own. */
import type { Acl, Stat } from '../client/api.ts';
import { showPerms } from '../shell/acl-text.ts';
import type { Output, Part } from '../shell/output.ts';
import { toPlain } from './plain.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

/** `Mon Nov 23 10:48:57 UTC 2026`, as Java shows a Date: local time and the zone's short name. */
export function javaDate(ms: number): string {
  const at = new Date(ms);
  const zone =
    new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
      .formatToParts(at)
      .find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC';
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${DAYS[at.getDay()]} ${MONTHS[at.getMonth()]} ${two(at.getDate())} ${time} ${zone} ${at.getFullYear()}`;
}

const long = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;

/** The eleven lines. */
export const statText = (stat: Stat): string =>
  [
    `cZxid = ${long(stat.czxid)}`,
    `ctime = ${javaDate(stat.ctime)}`,
    `mZxid = ${long(stat.mzxid)}`,
    `mtime = ${javaDate(stat.mtime)}`,
    `pZxid = ${long(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${long(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
  ]
    .map((line) => `${line}\n`)
    .join('');

export const aclLines = (acl: readonly Acl[]): string =>
  acl.map(({ scheme, id, perms }) => `'${scheme},'${id}\n: ${showPerms(perms)}\n`).join('');

export const listText = (names: readonly string[]): string => `[${names.join(', ')}]\n`;

/** One list, whatever parts it comes in. */
function listPart(names: readonly string[], part: Part | undefined): string {
  if (part === undefined) return listText(names);
  const before = part === 'first' ? '[' : names.length > 0 ? ', ' : '';
  return `${before}${names.join(', ')}${part === 'last' ? ']\n' : ''}`;
}

/** What zkCli prints on its standard output for such a result. */
export function toZkcli(output: Output): Uint8Array {
  switch (output.type) {
    case 'many':
      return Buffer.concat(output.parts.map(toZkcli));
    case 'listing': {
      const isLines = output.isPaths === true && output.onePerLine === true;
      const names = isLines ? output.names.map((name) => `${name}\n`).join('') : listPart(output.names, output.part);
      return Buffer.from(names + (output.stat === undefined ? '' : statText(output.stat)));
    }
    case 'stat':
      return Buffer.from(statText(output.stat));
    case 'acl':
      return Buffer.from(aclLines(output.acl) + (output.stat === undefined ? '' : statText(output.stat)));
    case 'node': {
      const data = output.form === 'text' ? [output.data ?? Buffer.from('null'), Buffer.from('\n')] : [toPlain(output)];
      return Buffer.concat([
        ...data,
        Buffer.from(output.showStat && output.form === 'text' ? statText(output.stat) : ''),
      ]);
    }
    case 'created':
      return Buffer.from(`Created ${output.path}\n`);
    case 'written':
      return Buffer.from(output.showStat === true ? statText(output.stat) : '');
    case 'deleted':
      return new Uint8Array(0);
    case 'done':
      return Buffer.from(output.text === 'synced' ? 'Sync is OK\n' : '');
    default:
      return toPlain(output);
  }
}
