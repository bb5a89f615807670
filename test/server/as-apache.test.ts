/** What random programs found: answers of Debian's 3.8.0 that ours had differently. Each was asked of the real server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reader } from '../../src/protocol/bytes.ts';
import { type MultiPart, OPERATIONS } from '../../src/protocol/operations.ts';
import { need, OPEN, outcome } from '../security/access/matrix.ts';
import { PureWire } from '../security/access/pure-wire.ts';
import type { Line } from '../security/access/wire.ts';

const data = null;
const create = (path: string | null, flags = 0, acl: typeof OPEN | [] = OPEN) => ({ path, data, acl, flags });
const code = async (answer: ReturnType<Line['ask']>): Promise<string> => outcome(await answer);
async function parts(line: Line, wanted: readonly MultiPart[]): Promise<string[] | string> {
  const answer = await line.ask('multi', wanted);
  if (answer?.err !== 0) return outcome(answer);
  return OPERATIONS.multi.answer
    .read(new Reader(answer.body))
    .map(({ err }) => outcome({ err, zxid: 0n, body: answer.body }));
}

test('a path that is null: not valid where it is looked at as text, not readable where it is taken apart', async () => {
  const line = await new PureWire().open();
  assert.equal(await code(line.ask('setData', { path: null, data, version: -1 })), 'BadArguments');
  assert.equal(await code(line.ask('setAcl', { path: null, acl: OPEN, version: -1 })), 'BadArguments');
  assert.equal(await code(line.ask('create', create(null))), 'MarshallingError');
  assert.equal(await code(line.ask('delete', { path: null, version: -1 })), 'MarshallingError');
  const version = -1;
  for (const [type, request] of [
    [5, { path: null, data, version }],
    [13, { path: null, version }],
    [1, create(null)],
    [2, { path: null, version }],
  ] as const)
    assert.equal(await parts(line, [{ type, request }]), 'MarshallingError', `a part ${type}`);
  assert.equal(
    await code(line.ask('multiRead', [{ type: 4, request: { path: null, watch: false } }])),
    'MarshallingError',
  );
});

test('a multi that is not readable changes nothing, and what follows is decided without it', async () => {
  const line = await new PureWire().open();
  const first = { type: 1, request: create('/a') };
  assert.equal(await parts(line, [first, { type: 1, request: create(null) }]), 'MarshallingError');
  assert.equal(await code(line.ask('create', create('/a/b'))), 'NoNode');
  assert.deepEqual(await parts(line, [first]), ['ok']);
});

test('a part without a path makes a multi unreadable, behind a part that is refused as well', async () => {
  const line = await new PureWire().open();
  const refused = { type: 2, request: { path: '/none', version: -1 } };
  assert.equal(await parts(line, [refused, { type: 15, request: create(null) }]), 'MarshallingError');
  assert.equal(await parts(line, [refused, { type: 2, request: { path: null, version: -1 } }]), 'MarshallingError');
});

test('in a multi the kind of node follows from the flags', async () => {
  const line = await new PureWire().open();
  const answer = await need(
    line.ask('multi', [
      { type: 1, request: create('/container', 4) },
      { type: 19, request: create('/plain', 0) },
      { type: 21, request: { ...create('/untimed', 0), ttl: 5000n } },
      { type: 21, request: { ...create('/timed', 5), ttl: 5000n } },
    ]),
  );
  const types = OPERATIONS.multi.answer.read(new Reader(answer.body)).map(({ type }) => type);
  assert.deepEqual(types, [15, 1, 1, 15]);
});

test('a multi with flags of a time to live and no time is not readable, and changes nothing', async () => {
  const line = await new PureWire().open();
  const first = { type: 1, request: create('/a') };
  assert.equal(await parts(line, [first, { type: 1, request: create('/b', 5) }]), 'MarshallingError');
  assert.equal(await code(line.ask('create', create('/a/b'))), 'NoNode');
  const refused = { type: 2, request: { path: '/none', version: -1 } };
  assert.deepEqual(await parts(line, [refused, { type: 1, request: create('/b', 5) }]), [
    'NoNode',
    'RuntimeInconsistency',
  ]);
});

test('createTTL for a node without a time: what else is wrong with it is told first', async () => {
  const line = await new PureWire().open();
  const ask = (path: string, flags: number, acl: typeof OPEN | [] = OPEN) =>
    code(line.ask('createTtl', { ...create(path, flags, acl), ttl: -1n }));
  assert.equal(await ask('/x', 0, []), 'InvalidAcl');
  assert.equal(await ask('/none/x', 0), 'NoNode');
  assert.equal(await ask('/zookeeper', 0), 'NodeExists');
  assert.equal(await ask('/x', 0), 'BadArguments');
  assert.equal(await ask('/x', 5, []), 'BadArguments');
});

test('setWatches with a list that is null: those before it are taken', async () => {
  const line = await new PureWire().open();
  const lists = { relativeZxid: 0n as never, existWatches: ['/b'] };
  const said = await code(line.ask('setWatches', { ...lists, dataWatches: ['/a'], childWatches: null }));
  assert.equal(said, 'MarshallingError');
  assert.deepEqual(
    line.events.map(({ type, path }) => `${type} ${path}`),
    ['2 /a'],
  );
  await need(line.ask('create', create('/b')));
  assert.deepEqual(
    line.events.map(({ type, path }) => `${type} ${path}`),
    ['2 /a', '1 /b'],
  );
  const wide = { ...lists, dataWatches: [], existWatches: [], childWatches: ['/c'], persistentWatches: ['/d'] };
  assert.equal(await code(line.ask('setWatches2', { ...wide, persistentRecursiveWatches: null })), 'MarshallingError');
  await need(line.ask('create', create('/d')));
  assert.deepEqual(
    line.events.slice(2).map(({ type, path }) => `${type} ${path}`),
    ['2 /c', '1 /d'],
  );
});

test('a watch by the empty path hears nothing of the root', async () => {
  const line = await new PureWire().open();
  await need(line.ask('getChildren', { path: '', watch: true }));
  await need(line.ask('create', create('/a')));
  assert.deepEqual(line.events, []);
  await need(line.ask('getChildren', { path: '/', watch: true }));
  await need(line.ask('create', create('/b')));
  assert.equal(line.events.length, 1);
});
