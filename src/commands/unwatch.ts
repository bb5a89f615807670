import { command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { plural } from '../shell/units.ts';

/** Ends watches, by what `watches` lists. */
export default command({
  name: 'unwatch',
  group: 'watch',
  about: 'stop watches: by number, by path, or all',
  risk: 'read',
  params: {
    which: {
      kind: 'watchedPath',
      about: 'the path, or the number that watches shows',
      optional: true,
      keepsText: true,
      placeholder: 'ID|PATH',
    },
    all: { kind: 'flag', long: '--all', about: 'every one of this session' },
  },
  examples: [
    ['unwatch /app', 'those on /app'],
    ['unwatch 2', 'number 2 of those that watches lists'],
    ['unwatch --all', 'all of them'],
  ],
  exits: [25],
  async run({ which, all }, context): Promise<Output> {
    if (all === (which !== undefined)) throw usage('unwatch: say a number, a path, or --all');
    const client = await context.client();
    const watches = await context.session.watches();
    const resolved = which === undefined ? undefined : context.resolve(which);
    const byNumber =
      which !== undefined && /^\d+$/.test(which) ? watches.find(({ id }) => id === Number(which)) : undefined;
    const chosen = all
      ? watches
      : byNumber !== undefined
        ? [byNumber]
        : watches.filter(({ path }) => path === resolved);
    if (chosen.length === 0 && !all)
      throw new Failure(25, 'NoWatcher', `no watch ${which}`, { hint: 'watches lists those of this session' });
    for (const { id, path, kind } of chosen) {
      if (await context.session.endWatch(id)) continue;
      const wanted = kind === 'exists' ? 'data' : kind;
      await client.removeWatches(path, wanted, { signal: context.signal }).catch((error: { code?: string }) => {
        if (error.code !== 'NoWatcher') throw error; // a kind covers several, and the first took them all
      });
      context.session.forgetWatches(path, wanted);
    }
    return {
      type: 'done',
      text: chosen.length === 0 ? 'no watches to stop' : `stopped ${plural(chosen.length, 'watch', 'watches')}`,
      json: { stopped: chosen.map(({ path, kind }) => ({ path, kind })) },
    };
  },
});
