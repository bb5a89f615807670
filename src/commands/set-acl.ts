import { KeeperError } from '../base/errors.ts';
import type { Acl, Client } from '../client/api.ts';
import { parseAcl, showAcl } from '../shell/acl-text.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { Failure, refused, usage } from '../shell/failure.ts';
import { isNobody, isSomebody } from '../shell/lock-out.ts';
import { refuseTyped, warnOfPasswords } from '../shell/node-record.ts';
import type { Output } from '../shell/output.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { stoppedAfter } from '../shell/part-done.ts';
import { quoteWord } from '../shell/paths.ts';
import { plural } from '../shell/units.ts';
import { walkNodes } from '../shell/walk.ts';
import { surveyAcls } from './acl-survey.ts';
import { inflightOf, inTurn, withSuggestion } from './support.ts';
import { isWholeTree } from './whole-tree.ts';

const ADMIN = 16;

/** Replaces an ACL. */
export default command({
  name: 'setAcl',
  group: 'acl',
  about: 'say who may do what with a node',
  risk: 'write',
  riskOf: ({ recursive }) => (recursive ? 'bulk' : 'write'),
  params: {
    paths: { kind: 'path', about: 'the nodes', many: true, globs: true, placeholder: 'PATH' },
    acl: { kind: 'acl', about: 'scheme:id:perms,... with perms of cdrwa, all or ro' },
    stat: { kind: 'flag', short: '-s', about: 'show the stat afterwards; not with -R' },
    version: { kind: 'number', short: '-v', about: 'only if this is the current version of the ACL' },
    recursive: { kind: 'flag', short: '-R', about: 'for everything below, too' },
    force: { kind: 'flag', long: '--force', about: 'even if nobody here could change it back' },
  },
  examples: [
    ['setAcl /app world:anyone:r,auth::cdrwa', 'after addauth: others read, we do everything'],
    ['setAcl -R /app auth::cdrwa', 'after addauth: a whole subtree is ours alone'],
    ['setAcl -v 2 /app world:anyone:ro,auth::all', 'only if nobody changed the ACL since version 2'],
  ],
  exits: [10, 12, 14, 15, 30],
  async run({ paths, acl: text, stat: showStat, version, recursive, force }, context): Promise<Output> {
    const acl = parseAcl(text);
    if (!force) refuseTyped('the ACL', acl, '--force');
    warnOfPasswords(acl, (line) => context.warn(line));
    if (recursive && version !== undefined) throw usage('setAcl: -v cannot be combined with -R');
    const [first = '/'] = paths;
    if (!force) {
      await refuseUnproved(first, acl, context);
      await guard(paths.length === 1 ? first : plural(paths.length, 'node'), acl, context);
    }
    const client = await context.client();
    const { signal } = context;
    const isAll = await isWholeTree(client, paths, context);
    if (!recursive) {
      if (context.globbed && paths.length > 1)
        await context.confirm({
          what: `change the ACL of ${plural(paths.length, 'node')}`,
          path: isAll ? '/' : first,
          count: paths.length,
          keepsUndo: context.keepsUndo,
          details: [...paths.slice(0, 10).map(quoteWord), ...(await aclLines(client, first, acl, context))],
        });
      let changed = 0;
      return inTurn(paths, context, false, async (path) => {
        const stat = await withSuggestion(path, context, () => client.setAcl(path, acl, version ?? -1, { signal }));
        changed++;
        return showStat
          ? { type: 'stat', path, stat }
          : {
              type: 'done',
              text: `ACL of ${quoteWord(path)} is version ${stat.aversion}`,
              json: { path, aversion: stat.aversion },
            };
      }).catch((error: unknown) => {
        const done = changed === 0 ? undefined : `ACLs of ${changed} of ${plural(paths.length, 'node')} changed`;
        throw stoppedAfter(error, done, context);
      });
    }
    if (isAll)
      await context.confirm({ what: `change the ACLs of all that / holds`, path: '/', keepsUndo: context.keepsUndo });
    const counter = new AclCounter();
    try {
      for (const path of paths) {
        const { changes, lines } = await surveyAcls(client, path, acl, context);
        await context.confirm({
          what: `change the ACL of ${plural(changes, 'node')} under ${path}`,
          path,
          count: changes,
          keepsUndo: context.keepsUndo,
          details: lines,
        });
        await setAclBelow(client, path, acl, counter, context);
      }
    } catch (error) {
      throw stoppedAfter(error, counter.told, context);
    }
    const what = paths.length === 1 ? { path: first } : { paths };
    const told = `changed the ACL of ${plural(counter.count, 'node')}`;
    return { type: 'done', isBulk: true, text: told, json: { ...what, count: counter.count } };
  },
});

/** How an ACL would change, for the question before it. */
async function aclLines(
  client: Client,
  path: string,
  acl: readonly Acl[],
  { asks, signal }: CommandContext,
): Promise<string[]> {
  const now = asks ? await client.getAcl(path, { signal }).catch(() => undefined) : undefined; // nobody else reads it
  const texts = (all: readonly Acl[]): string[] => all.map((each) => showAcl([each]));
  const [before, after] = [texts(now?.acl ?? []), texts(acl)];
  return [
    ...before.filter((each) => !after.includes(each)).map((each) => `- ${each}`),
    ...after.map((each) => `${before.includes(each) ? '=' : '+'} ${each}`),
  ];
}

/** How many ACLs a command has changed. */
export class AclCounter {
  count = 0;
  /** The error itself says it. */
  isTold = false;
  /** As it is said when something ends the command; undefined: none. */
  get told(): string | undefined {
    return this.count === 0 || this.isTold ? undefined : `${plural(this.count, 'node')} changed`;
  }
}

/** The same for a node and all below it; what is changed is counted, also before something ends it. */
export async function setAclBelow(
  client: Client,
  path: string,
  acl: readonly Acl[],
  counter: AclCounter,
  context: CommandContext,
): Promise<void> {
  const { signal } = context;
  const inflight = inflightOf(context);
  using progress = context.progress(`changing ACLs under ${path}`);
  const running = new Set<Promise<void>>();
  let failure: unknown;
  let hidden: string | undefined;
  try {
    for await (const node of walkNodes(client, path, { signal, inflight, skip: skipsOwn(client, path) })) {
      const work = client.setAcl(node.path, acl, -1, { signal }).then(
        () => {
          progress.update(++counter.count);
        },
        (error: { code?: string }) => {
          if (error.code !== 'NoNode') failure ??= error;
        },
      );
      running.add(work);
      void work.finally(() => running.delete(work));
      if (running.size >= inflight) await Promise.race(running);
      if (node.denied) hidden ??= node.path;
      if (failure !== undefined) break;
    }
  } finally {
    await Promise.all(running); // what was on its way is answered, too, and counted
  }
  if (failure !== undefined) throw failure;
  if (hidden === undefined) return;
  counter.isTold = true;
  throw new Failure(
    14,
    'NoAuth',
    `${hidden} may not be listed, so what is below keeps its ACL; ${plural(counter.count, 'node')} changed`,
    {
      path: hidden,
      hint: 'addauth presents a credential',
    },
  );
}

const NEEDS = 'somebody here needs the permission a: addauth, then auth::cdrwa';
const FORCE = 'or use --force';
const lockedUp = (path: string, force: string): Failure =>
  refused(`after this nobody but a superuser could change the ACL of ${path}`, `${NEEDS}; ${force}`, path);

/** Of a new node: it may be another's, or nobody's to change, but not by an id that nobody can be. `force`: the way to do it all the same. @throws Failure (30) */
export function guardNew(path: string, acl: readonly Acl[], force = FORCE): void {
  const isMeant = acl.some((each) => each.perms & ADMIN && !isNobody(each));
  if (acl.some(isNobody) && !isMeant) throw lockedUp(path, force);
}

/**
 * `auth:` is who a session has proved to be. Of one that has proved nothing a server does not take it, and that is said before
 * anything is counted or asked; an older one, which does not say who we are, decides itself. @throws KeeperError InvalidAcl
 */
export async function refuseUnproved(path: string, acl: readonly Acl[], context: CommandContext): Promise<void> {
  if (acl.every(({ scheme }) => scheme !== 'auth')) return;
  const client = await context.client();
  const mine = await client.whoAmI({ signal: context.signal }).catch(() => []);
  if (mine.length > 0 && mine.every(({ scheme }) => scheme === 'ip')) throw new KeeperError('InvalidAcl', path);
}

/** Refuses what this session could not take back. `force`: the way to do it all the same. @throws Failure (30) */
export async function guard(path: string, acl: readonly Acl[], context: CommandContext, force = FORCE): Promise<void> {
  const admins = acl.filter(({ perms }) => perms & ADMIN);
  if (admins.some(({ scheme }) => scheme === 'world' || scheme === 'auth')) return;
  const client = await context.client();
  const mine = await client.whoAmI({ signal: context.signal }).catch(() => undefined);
  if (mine?.some(({ scheme }) => scheme === 'super') === true) return; // whom no ACL keeps out
  if (admins.length === 0) throw lockedUp(path, force);
  if (mine === undefined) return; // an older server does not say who we are
  const known = context.session.credentials;
  if (admins.some((each) => mine.some((me) => isSomebody(each, me, known)))) return;
  const who = mine.map(({ scheme, id }) => `${scheme}:${id}`).join(' ');
  throw refused(
    `after this nobody in this session (${who}) could change the ACL of ${path}`,
    `${NEEDS}; ${force}`,
    path,
  );
}
