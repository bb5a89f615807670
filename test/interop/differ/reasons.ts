/** Cells of the table that stay empty, and why. */
import { KEEPER_CODES } from '../../../src/base/errors.ts';
import type { Reason } from './coverage.ts';
import { CODES } from './program.ts';

const CREATES = ['create', 'create2', 'createContainer', 'createTtl'];
const PARTS = [...CREATES, 'delete', 'setData', 'check'];
const READ_PARTS = ['getData', 'getChildren'];
const NODE_READS = ['getData', 'getAcl', 'getChildren', 'getChildren2', 'getAllChildrenNumber', 'exists'];
/** The server hangs up behind these, or answers them beside what is under way. */
const LONELY = ['notification', 'unknown', 'createSession'];
export const OPS = Object.keys(CODES);
export const RESULTS = ['ok', ...Object.keys(KEEPER_CODES)];

/** Results, the operations that can come to them, and why no other can. */
const ONLY: readonly (readonly [string, readonly string[], string])[] = [
  [
    'ok',
    OPS.filter((op) => op !== 'reconfig' && op !== 'deleteContainer' && !LONELY.includes(op)),
    'it is always refused by a server alone',
  ],
  ['RuntimeInconsistency', PARTS, 'only parts of a multi are not tried'],
  ['NoNode', [...PARTS, ...NODE_READS, 'setAcl'], 'it needs no node'],
  ['NoAuth', [...PARTS, ...NODE_READS.filter((op) => op !== 'exists'), 'setAcl'], 'it needs no permission, in 3.8'],
  ['BadVersion', ['delete', 'setData', 'setAcl', 'check'], 'it names no version'],
  ['NodeExists', CREATES, 'it makes no node'],
  ['NoChildrenForEphemerals', CREATES, 'it makes no node'],
  ['NotEmpty', ['delete'], 'it removes no node'],
  ['InvalidAcl', [...CREATES, 'setAcl'], 'it gives no ACL'],
  ['AuthFailed', ['auth'], 'it is no login'],
  ['NoWatcher', ['checkWatches', 'removeWatches'], 'it is not about watches that are there'],
  ['ReconfigDisabled', ['reconfig'], 'it changes no members'],
  ['Unimplemented', ['notification', 'unknown'], 'it is known, and nodes with a time to live are switched on'],
  ['BadArguments', [...PARTS, 'setAcl', 'exists', 'deleteContainer'], 'its path is not looked at as text'],
  [
    'MarshallingError',
    OPS.filter(
      (op) =>
        !['ping', 'whoAmI', 'closeSession', 'auth', 'sasl', 'reconfig', 'deleteContainer', ...LONELY].includes(op),
    ),
    'it has no body, is not decoded by 3.8, or is not sent cut short',
  ],
];
const ever = new Set(ONLY.map(([code]) => code));

export const REASONS: readonly Reason[] = [
  {
    ops: 'all',
    codes: RESULTS.filter((code) => !ever.has(code)),
    why: 'a server alone that is well, without quotas and limits, never answers it; what is behind a closeSession is not answered',
  },
  ...ONLY.map(([code, ops, why]): Reason => ({ ops: OPS.filter((op) => !ops.includes(op)), codes: [code], why })),
  {
    ops: OPS.filter((op) => !PARTS.includes(op) && !READ_PARTS.includes(op)),
    codes: 'all',
    modes: ['multi'],
    why: 'it cannot be a part of a multi',
  },
  {
    ops: [...PARTS, ...READ_PARTS],
    codes: ['MarshallingError'],
    modes: ['multi'],
    why: 'the whole multi is refused then',
  },
  {
    ops: 'all',
    codes: ['RuntimeInconsistency'],
    modes: ['alone', 'pipelined'],
    why: 'only parts of a multi are not tried',
  },
  {
    ops: ['check'],
    codes: 'all',
    modes: ['alone', 'pipelined'],
    why: 'a check alone is not answered by 3.8 when it holds, and left out by a rule',
  },
  { ops: ['createSession'], codes: 'all', why: 'it is left out by a rule: 3.8 hangs up' },
  {
    ops: [...LONELY],
    codes: 'all',
    modes: ['pipelined'],
    why: 'its answer overtakes others in 3.8, at a moment that nobody can tell',
  },
  {
    ops: ['auth'],
    codes: ['AuthFailed'],
    modes: ['pipelined'],
    why: 'the connection ends behind it, at a moment that nobody can tell',
  },
];
