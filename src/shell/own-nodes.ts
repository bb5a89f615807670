/** The nodes that an ensemble keeps for itself, as a session sees them: below a chroot /zookeeper is a node like any other. */
import { PROTECTED } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import { parseConnectString } from '../client/connect-string.ts';
import type { CommandContext } from './command.ts';
import { usage } from './failure.ts';
import { isWithin } from './node-record.ts';

/** What is seen of an ensemble. */
export type View = Pick<Client, 'chroot'>;
/** Of the session in use, without connecting: what is refused is refused before. */
export const viewOf = ({ session }: { readonly session: Pick<CommandContext['session'], 'target'> }): View =>
  session.target === '' ? WHOLE : parseConnectString(session.target); // none was to be had, which is told when it is asked for
/** All of it, as snapshots hold it. */
export const WHOLE: View = { chroot: '' };

const OWN = '/zookeeper';

/** The path without the chroot. */
export const onServer = ({ chroot }: View, path: string): string => (path === '/' ? chroot || '/' : chroot + path);

/** Whether servers keep it for themselves: never made, changed or deleted by bulk work. */
export const isOwn = (view: View, path: string): boolean => isWithin(onServer(view, path), OWN);

/** The one that all others are below. */
export const isTopOfOwn = (view: View, path: string): boolean => onServer(view, path) === OWN;

/** What there is of limits: `limits` are said by whoever sets them, `usage` is counted by servers, which write it as they please. */
export function quotaPart(view: View, path: string): 'limits' | 'usage' | 'folder' | undefined {
  const whole = onServer(view, path);
  if (!whole.startsWith(`${OWN}/quota/`)) return undefined;
  return whole.endsWith('/zookeeper_limits') ? 'limits' : whole.endsWith('/zookeeper_stats') ? 'usage' : 'folder';
}

/** For walks: they are entered only when named. */
export const skipsOwn = (view: View, root: string): ((path: string) => boolean) => {
  const isAll = onServer(view, root) === '/';
  return (path) => isAll && path === OWN;
};

/** Why a node is never deleted, whoever asks; undefined when it may be. `force`: what quotas are kept in may go by hand. */
export function undeletable(
  view: View,
  path: string,
  force = false,
): { readonly what: string; readonly hint: string } | undefined {
  const whole = onServer(view, path);
  if (PROTECTED.has(whole))
    return { what: `${path} cannot be deleted: the ensemble needs it`, hint: HOW[whole] ?? 'delquota removes quotas' };
  if (!force && whole.startsWith(`${OWN}/quota/`))
    return { what: `${path} belongs to a quota`, hint: 'delquota removes quotas' };
  if (path !== '/') return undefined;
  return { what: '/ cannot be deleted: it is the root of what this session sees', hint: 'name the nodes below it' };
}

const HOW: Readonly<Record<string, string>> = {
  '/': 'name the nodes below it',
  '/zookeeper': 'name the nodes that are meant; delquota removes quotas',
  '/zookeeper/config': 'reconfig changes the members',
};

/** Servers look for quotas at one place, whatever a session sees: what is written elsewhere limits nothing. @throws Failure (2) */
export function refuseQuotaBelowChroot(name: string, view: View, path: string): void {
  if (view.chroot === '') return;
  throw usage(
    `${name}: quotas are kept below /zookeeper/quota of the whole ensemble, which a session with the chroot ${view.chroot} does not see`,
    `connect without the chroot; the node is ${onServer(view, path)} there`,
  );
}
