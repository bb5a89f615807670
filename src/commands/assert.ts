import { command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { plural } from '../shell/units.ts';

/** Ends a script when something is not as it should be. */
export default command({
  name: 'assert',
  group: 'read',
  about: 'end a script with 1 unless a node is as it should be',
  risk: 'read',
  transaction: 'harmless',
  params: {
    what: { kind: 'enum', about: 'what must hold', values: ['exists', 'absent', 'data', 'version', 'children'] },
    path: { kind: 'path', about: 'the node' },
    value: {
      kind: 'text',
      about: 'for data, version and children: what it must be',
      optional: true,
      kindAfter: ([what = '']: readonly string[]) => (/^(?:exists|absent)$/i.test(what) ? 'nothing' : undefined),
    },
  },
  examples: [
    ['assert exists /app', 'or the script ends'],
    ['assert data /app/config "on"', 'exactly this text'],
    ['assert children /app/workers 3', 'as many'],
  ],
  exits: [1],
  notes: ['Under --atomic it becomes a check of the version that was read, as part of the transaction.'],
  async run({ what, path, value }, context): Promise<Output> {
    const needsValue = what !== 'exists' && what !== 'absent';
    if (needsValue !== (value !== undefined))
      throw usage(`assert ${what}: ${needsValue ? 'VALUE is missing' : `one word too many: ${value}`}`);
    if ((what === 'version' || what === 'children') && !/^\d{1,10}$/.test(value ?? ''))
      throw usage(`assert ${what}: VALUE is a whole number, not ${value}`);
    const { transaction } = context;
    if (transaction.collects && what === 'children')
      throw usage('assert children cannot be part of a transaction', 'a transaction checks versions only');
    const client = await context.client();
    const { signal } = context;
    const found = await client.exists(path, { signal });
    const fail = (is: string): never => {
      throw new Failure(1, 'AssertionFailed', `assertion failed: ${path} ${is}`, { path });
    };
    if (what === 'absent') {
      if (found !== undefined) fail('exists');
    } else if (found === undefined) fail('does not exist');
    else if (what === 'version' && String(found.version) !== String(Number(value)))
      fail(`has version ${found.version}, not ${value}`);
    else if (what === 'children' && found.numChildren !== Number(value))
      fail(`has ${plural(found.numChildren, 'child', 'children')}, not ${value}`);
    else if (what === 'data') {
      const { data } = await client.get(path, { signal });
      if (data === null || !data.equals(Buffer.from(value ?? '')))
        fail(data === null ? 'has no data' : 'has other data');
    }
    // what holds now must hold when the rest is done
    if (transaction.collects)
      await transaction.check(path, what === 'absent' ? 'absent' : what === 'exists' ? -1 : (found?.version ?? -1));
    return { type: 'done', text: '', json: { assert: what, path, ok: true } };
  },
});
