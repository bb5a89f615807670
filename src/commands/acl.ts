import { createHash } from 'node:crypto';
import { DIGEST_HASHES, isDigestScheme } from '../base/digest-schemes.ts';
import type { Acl } from '../client/api.ts';
import { revealSecret, SecretError } from '../config/secrets.ts';
import { parseAcl, showAcl } from '../shell/acl-text.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import { refuseHidden } from '../shell/hidden.ts';
import {
  compareAcls,
  isMasked,
  refuseMasked,
  refuseTyped,
  unknownAcls,
  warnOfPasswords,
} from '../shell/node-record.ts';
import type { Output } from '../shell/output.ts';
import { stoppedAfter } from '../shell/part-done.ts';
import { plural } from '../shell/units.ts';
import { surveyAcls } from './acl-survey.ts';
import { AclCounter, guard, refuseUnproved, setAclBelow } from './set-acl.ts';
import { withSuggestion } from './support.ts';

const FORMS = {
  add: 'PATH ENTRY',
  rm: 'PATH ENTRY',
  diff: 'A B',
  copy: 'FROM TO...',
  digest: 'USER [PASSWORD]',
} as const;

const ENTRIES: Readonly<Record<string, string>> = {
  add: ', an ENTRY is SCHEME:ID:PERMS,...',
  rm: ', an ENTRY is SCHEME:ID[:PERMS],...',
};

/** The next of the words of an action is not there. */
function missing([action = '', ...given]: readonly string[]): Failure {
  const form = FORMS[action as keyof typeof FORMS] ?? '';
  const word = form.split(' ')[given.length] ?? '';
  return usage(`acl ${action}: ${word.replace('...', '')} is missing`, `acl ${action} ${form}${ENTRIES[action] ?? ''}`);
}

/** Parts of ACLs. */
export default command({
  name: 'acl',
  group: 'acl',
  about: 'add to an ACL, take from it, compare and copy ACLs, hash a password',
  risk: 'write',
  riskOf: ({ action, recursive }) => (action === 'diff' || action === 'digest' ? 'read' : recursive ? 'bulk' : 'write'),
  params: {
    action: { kind: 'enum', about: 'what to do', values: ['add', 'rm', 'diff', 'copy', 'digest'] },
    words: {
      kind: 'path',
      about: 'add, rm: PATH ENTRY; diff: A B; copy: FROM TO...; digest: USER [PASSWORD]',
      many: true,
      keepsText: true,
      placeholder: 'WORD',
      missing: ([action = '', ...given]: readonly string[]) => missing([action.toLowerCase(), ...given]),
      kindAfter: ([action = '', ...given]: readonly string[]) =>
        action === 'digest' ? 'text' : /^(?:add|rm)$/i.test(action) && given.length > 0 ? 'acl' : undefined,
    },
    recursive: { kind: 'flag', short: '-R', about: 'copy: to everything below TO, too' },
    force: { kind: 'flag', long: '--force', about: 'even if nobody here could change it back' },
    sha256: { kind: 'flag', long: '--sha256', about: 'digest: for the scheme digest256' },
    noAcl: { kind: 'flag', long: '--no-acl', about: 'copy: without entries whose password hash may not be read' },
  },
  examples: [
    ['acl add /app world:anyone:r', 'everyone may read, all else stays'],
    ['acl rm /app world:anyone', 'everyone is out'],
    ['acl rm /app digest:bob:w', 'bob writes no more'],
    ['acl diff /app /old', 'how two ACLs differ'],
    ['acl copy /app /app/new', 'the ACL of one node for another'],
    ['acl digest bob', 'asks for a password, prints digest:bob:HASH'],
    ['acl digest --sha256 bob', 'and digest256:bob:HASH'],
  ],
  exits: [1, 10, 12, 14, 15, 30, 31],
  notes: [
    'add joins permissions with those an id has. rm takes away the entry, or only the permissions that are named.',
    'For digest ids rm needs no hash: digest:bob means the entry of bob.',
    'An ACL that is read without password hashes is not written back (15): addauth first. Nor can diff say whether two of those are the same (14).',
  ],
  async run({ action, words, recursive, force, noAcl, sha256 }, context): Promise<Output> {
    const [first, second, ...more] = words;
    const form = `acl ${action} ${FORMS[action as keyof typeof FORMS]}`;
    if (first === undefined) throw missing([action]);
    if (action === 'digest') {
      if (more.length > 0) throw usage('acl digest: one word too many', form);
      return digestOf(first, second, sha256 ? 'digest256' : 'digest', context);
    }
    if (sha256) throw usage(`acl ${action}: --sha256 goes with digest`);
    if (second === undefined) throw missing([action, first]);
    if (recursive && action !== 'copy') throw usage(`acl ${action}: -R goes with copy`);
    const path = context.resolve(first);
    if (action === 'diff') return difference(path, context.resolve(second), context);
    if (action === 'copy') {
      const targets = [second, ...more].map((each) => context.resolve(each));
      return copy(path, targets, { recursive, force, noAcl }, context);
    }
    if (more.length > 0) throw usage(`acl ${action}: one word too many: ${more[0]}`, 'entries are joined by commas');
    const added = action === 'add' ? parseAcl(second) : [];
    if (!force) refuseTyped('the entry', added, '--force');
    warnOfPasswords(added, (line) => context.warn(line));
    const client = await context.client();
    const { signal } = context;
    const { acl, stat } = await withSuggestion(path, context, () => client.getAcl(path, { signal }));
    refuseMasked(path, acl, 'addauth as one who has a, and it is read whole');
    const next = action === 'add' ? joined(acl, added) : without(path, acl, second);
    if (!force) {
      await refuseUnproved(path, added, context);
      await guard(path, next, context);
    }
    const after = await client.setAcl(path, next, stat.aversion, { signal });
    return { type: 'acl', path, acl: next, aversion: after.aversion };
  },
});

const isSameId = (a: Acl, b: Acl): boolean => a.scheme === b.scheme && a.id === b.id;

/** Permissions of one id are joined. */
function joined(acl: readonly Acl[], added: readonly Acl[]): Acl[] {
  const out = [...acl];
  for (const entry of added) {
    const at = out.findIndex((each) => isSameId(each, entry));
    const known = out[at];
    if (known === undefined) out.push(entry);
    else out[at] = { ...known, perms: known.perms | entry.perms };
  }
  return out;
}

/** `scheme:id` takes an entry away, `scheme:id:perms` those permissions. @throws Failure (2, 10, 15) */
function without(path: string, acl: readonly Acl[], text: string): Acl[] {
  let out = [...acl];
  for (const piece of text.split(',')) {
    const found = out.filter((entry) => names(piece, entry));
    if (found.length > 0) {
      out = out.filter((entry) => !found.includes(entry));
      continue;
    }
    const colon = piece.lastIndexOf(':');
    const who = piece.slice(0, Math.max(0, colon));
    const some = out.filter((entry) => names(who, entry));
    if (some.length === 0)
      throw new Failure(10, 'NoEntry', `the ACL of ${path} has no entry ${piece}`, { path, hint: showAcl(acl) });
    const { perms } = parseAcl(piece)[0] as Acl;
    out = out.flatMap((entry) => {
      if (!some.includes(entry)) return [entry];
      const left = entry.perms & ~perms;
      return left === 0 ? [] : [{ ...entry, perms: left }];
    });
  }
  if (out.length === 0)
    throw new Failure(15, 'InvalidAcl', `nothing would be left of the ACL of ${path}`, {
      path,
      hint: 'an ACL needs an entry: acl add another one first',
    });
  return out;
}

/** `digest:bob` means bob, whatever the hash. */
const names = (text: string, { scheme, id }: Acl): boolean =>
  text === `${scheme}:${id}` || (isDigestScheme(scheme) && text === `${scheme}:${id.split(':')[0]}`);

async function difference(a: string, b: string, context: CommandContext): Promise<Output> {
  const client = await context.client();
  const { signal } = context;
  const [left, right] = await Promise.all(
    [a, b].map((path) => withSuggestion(path, context, () => client.getAcl(path, { signal }))),
  );
  const texts = (acl: readonly Acl[] = []): string[] => acl.map((entry) => showAcl([entry]));
  const [mine, theirs] = [texts(left?.acl), texts(right?.acl)];
  const lines = [
    ...mine.filter((each) => !theirs.includes(each)).map((text) => ({ label: '-', text })),
    ...theirs.filter((each) => !mine.includes(each)).map((text) => ({ label: '+', text })),
  ];
  const how = compareAcls(left?.acl ?? [], right?.acl ?? []);
  if (how === 'unknown') context.warn(unknownAcls([a]));
  return { type: 'lines', lines: how === 'unknown' ? [] : lines, exit: { same: 0, different: 1, unknown: 14 }[how] };
}

async function copy(
  from: string,
  targets: readonly string[],
  { recursive, force, noAcl }: { recursive: boolean; force: boolean; noAcl: boolean },
  context: CommandContext,
): Promise<Output> {
  const client = await context.client();
  const { signal } = context;
  const read = await withSuggestion(from, context, () => client.getAcl(from, { signal }));
  const acl = noAcl ? read.acl.filter((each) => !isMasked(each)) : read.acl;
  refuseMasked(from, acl, '--no-acl goes on without it');
  if (acl.length === 0) throw new Failure(15, 'InvalidAcl', `nothing is left of the ACL of ${from}`, { path: from });
  const counter = new AclCounter();
  try {
    for (const path of targets) {
      if (!force) await guard(path, acl, context);
      if (!recursive) {
        await withSuggestion(path, context, () => client.setAcl(path, acl, -1, { signal }));
        counter.count++;
        continue;
      }
      const { changes, lines } = await surveyAcls(client, path, acl, context);
      await context.confirm({
        what: `give ${plural(changes, 'node')} under ${path} the ACL of ${from}`,
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
  const { count } = counter;
  return { type: 'counts', counts: { changed: count }, text: `changed the ACL of ${plural(count, 'node')}` };
}

/** The id that servers know a user by. */
async function digestOf(
  user: string,
  password: string | undefined,
  scheme: 'digest' | 'digest256',
  context: CommandContext,
): Promise<Output> {
  refuseHidden(password ?? user);
  if (user.includes(':')) throw usage('acl digest: the name of a user has no colon', 'acl digest USER [PASSWORD]');
  let secret: string;
  try {
    secret = password === undefined ? await context.askSecret(`Password of ${user}:`) : revealSecret(password);
  } catch (error) {
    throw error instanceof SecretError ? usage(`acl digest: ${error.message}`) : error;
  }
  const hash = createHash(DIGEST_HASHES[scheme] ?? '').update(`${user}:${secret}`);
  const id = `${user}:${hash.digest('base64')}`;
  return { type: 'value', value: { scheme, id }, text: `${scheme}:${id}` };
}
