import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import type { Acl, CreateMode } from '../client/api.ts';
import { parseAcl } from '../shell/acl-text.ts';
import { command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import { warnOfPasswords } from '../shell/node-record.ts';
import type { Output } from '../shell/output.ts';
import { DATA_OPTIONS, dataSaid, sizeOptions } from './data-options.ts';
import { guardNew, refuseUnproved } from './set-acl.ts';
import { createWithParents } from './support.ts';

const MAX_TTL_MS = 1_099_511_627_775;

/** A new node. */
export default command({
  name: 'create',
  group: 'write',
  about: 'create a node',
  risk: 'write',
  transaction: 'operation',
  params: {
    path: { kind: 'newPath', about: 'the new node; with -s a prefix', trailingSlash: true },
    data: {
      kind: 'data',
      about: 'its data: text, @FILE, @- for standard input; none means no data at all',
      optional: true,
    },
    acl: {
      kind: 'acl',
      about: 'who may do what, e.g. world:anyone:r,auth::cdrwa; default everyone everything',
      optional: true,
    },
    sequential: { kind: 'flag', short: '-s', about: 'add a number to the name' },
    ephemeral: { kind: 'flag', short: '-e', about: 'gone when this session ends' },
    container: { kind: 'flag', short: '-c', about: 'removed by the server once its last child is' },
    ttl: {
      kind: 'duration',
      isSpan: true,
      short: '-t',
      about: 'removed by the server when not changed for so long and childless',
      placeholder: 'TTL',
    },
    parents: { kind: 'flag', short: '-p', about: 'create missing parents too' },
    ifAbsent: { kind: 'flag', long: '--if-absent', about: 'no error when the node exists' },
    aclOption: { kind: 'acl', long: '--acl', about: 'the ACL, when there is no data', placeholder: 'ACL' },
    force: { kind: 'flag', long: '--force', about: 'even if nobody could change its ACL' },
    ...DATA_OPTIONS,
  },
  examples: [
    ['create /app', 'a node without data'],
    ['create -p /app/config {"level": "info"}', 'with its parents and JSON'],
    ['create -e -s /app/worker- @host.txt', 'ephemeral, numbered, data from a file'],
  ],
  exits: [6, 10, 11, 14, 15, 16, 17, 19, 21, 30],
  async run(values, context): Promise<Output> {
    const { sequential, ephemeral, container, ttl } = values;
    // behind the prefix of a number the slash says that it is empty; anywhere else it says nothing
    const path = sequential || values.path === '/' ? values.path : values.path.replace(/\/$/, '');
    if (container && (sequential || ephemeral)) throw usage('create: -c cannot be combined with -s or -e');
    if (ttl !== undefined && ephemeral)
      throw usage('create: -t cannot be combined with -e', 'an ephemeral node has no TTL');
    if (ttl !== undefined && container) throw usage('create: -t cannot be combined with -c', 'a container has no TTL');
    if (ttl !== undefined && (ttl < 1 || ttl > MAX_TTL_MS)) throw usage(`create: a TTL is from 1ms to ${MAX_TTL_MS}ms`);
    if (values.acl !== undefined && values.aclOption !== undefined) throw usage('create: the ACL is given twice');
    const text = values.acl ?? values.aclOption;
    const acl = text === undefined ? undefined : aclOf(text, values.acl !== undefined);
    if (acl !== undefined) warnOfPasswords(acl, (line) => context.warn(line));
    if (acl !== undefined && !values.force) guardNew(path, acl);
    const data = dataSaid('create', path, values, context) ?? null;
    const mode: CreateMode = container
      ? 'container'
      : ttl !== undefined
        ? sequential
          ? 'ttlSequential'
          : 'ttl'
        : ephemeral
          ? sequential
            ? 'ephemeralSequential'
            : 'ephemeral'
          : sequential
            ? 'persistentSequential'
            : 'persistent';
    const client = await context.client();
    if (acl !== undefined && !values.force) await refuseUnproved(path, acl, context);
    const options = {
      ...{ mode, ...sizeOptions(values), signal: context.signal },
      ...(acl !== undefined && { acl }),
      ...(ttl !== undefined && { ttlMs: ttl }),
    };
    try {
      const made = values.parents
        ? await createWithParents(path, data, options, context)
        : await client.create(path, data, options);
      if (ephemeral) context.session.noteEphemeral(made.path);
      return { type: 'created', path: made.path, created: true, stat: made.stat };
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error;
      if (values.ifAbsent && error.code === 'NodeExists') return { type: 'created', path, created: false };
      if (error.code === 'Unimplemented' && ttl !== undefined)
        throw new Failure(21, 'Unimplemented', 'this server has TTL nodes turned off', {
          path,
          hint: 'extendedTypesEnabled=true in its zoo.cfg turns them on (-Dzookeeper.extendedTypesEnabled=true)',
          cause: error,
        });
      if (error.code === 'NoNode' && !values.parents) {
        const parent = parentOf(path.endsWith('/') ? `${path}x` : path);
        throw new Failure(10, 'NoNode', `the parent does not exist: ${parent}`, {
          path,
          hint: 'create -p makes missing parents',
          cause: error,
        });
      }
      throw error;
    }
  },
});

/** `isPlaced`: it stands where the second word of a text without quotes would. @throws Failure (15) */
function aclOf(text: string, isPlaced: boolean): Acl[] {
  try {
    return parseAcl(text);
  } catch (error) {
    if (!(error instanceof Failure) || !isPlaced || text.includes(':')) throw error;
    const hint = `text with blanks needs quotes: create PATH "hello world"; otherwise ${error.hint}`;
    throw new Failure(error.exit, error.code, error.message, { hint, cause: error });
  }
}
