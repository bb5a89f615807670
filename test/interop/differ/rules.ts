/** What docs/compatibility.md excuses between 3.8.0 and ours: one field of one operation each. */
import type { Difference, Rule } from './compare.ts';

const NEW_WATCHES = 'kinds of watch on one path stand side by side, as since 3.9';

export const RULES: readonly Rule[] = [
  {
    op: 'notification',
    field: 'zxid',
    why: 'an event carries the zxid of its change, as since 3.9',
    harmless: true,
    when: ({ apache }) => apache === '-1',
  },
  { op: 'exists', field: 'err', why: 'exists needs READ, as since 3.9', when: ({ zoosh }) => zoosh === 'NoAuth' },
  { op: 'removeWatches', field: 'err', why: NEW_WATCHES },
  { op: 'checkWatches', field: 'err', why: NEW_WATCHES, harmless: true },
  {
    op: 'multi',
    field: 'zxid',
    why: '3.8 uses up no zxid for a multi with a part without a path; ours does, as for any that it cannot read',
    when: ({ err, apache, zoosh }) => err === 'MarshallingError' && Number(zoosh) === Number(apache) + 1,
  },
  { op: 'check', field: 'reply', why: 'a check alone that holds is never answered by 3.8' },
  { op: 'check', field: 'err', why: 'a check alone is refused, as in the newest source' },
  {
    op: 'getAllChildrenNumber',
    field: 'totalNumber',
    why: 'of the empty path, another name of the root, 3.8 counts the root itself',
    harmless: true,
    when: ({ apache, zoosh }) => Number(apache) === Number(zoosh) + 1,
  },
  ...['setWatches', 'setWatches2'].map((op) => ({
    op,
    field: 'event',
    why: 'what is told at once is told only about nodes that the client may read, as in the newest source',
    when: ({ apache }: Difference) => apache.startsWith('event'),
  })),
  { op: 'sasl', field: 'reply', why: 'a null token is taken for an empty one, no reason to hang up' },
  { op: 'createSession', field: 'reply', why: 'refused like an unknown operation, not with a hang-up alone' },
  { op: 'createSession', field: 'err', why: 'refused like an unknown operation, whatever its body' },
  { op: 'multiRead', field: 'rest', why: 'a refusal has no body', harmless: true },
  {
    op: 'create2',
    field: 'part type',
    why: 'answered in a multi with the Stat, as in the newest source',
    harmless: true,
  },
];
