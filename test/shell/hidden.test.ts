/** Lines out of the history, whose credentials are not in it, and ACLs that nobody could use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdsHidden, redact } from '../../src/editor/redact.ts';
import { rig } from './rig.ts';

const HASH = 'ikIaKsbtGweaHnb/jKn7OHqbunM=';
const LINES = [
  'create /a d digest:bob:secret:cdrwa',
  'create --acl=digest:bob:secret:r /a',
  'create --force /a d world:anyone:r,digest:bob:secret:cdrwa',
  'setAcl --force /a digest:bob:secret:cdrwa',
  'acl add --force /a digest:bob:secret:r',
  'import --acl digest:bob:secret:cdrwa /no/such/file',
  'addauth digest bob:secret',
  'addauth sasl "bob:secret"',
  'acl digest bob secret',
  'acl digest bob:secret',
  'profile add p h:1 --auth digest:bob:secret',
  'txn { create /a d digest:bob:secret:cdrwa }',
];

test('a credential that the history hides is asked for again, and nothing is sent', async () => {
  for (const line of LINES) {
    const hidden = redact(line);
    assert.ok(hidden.includes('****') && !hidden.includes('secret'), hidden);
    assert.deepEqual([holdsHidden(line), holdsHidden(hidden)], [false, true], line);
    for (const typed of [hidden, 'redo', 'redo 1']) {
      const it = rig(undefined, {}, new Map(), { history: [hidden] });
      assert.equal(await it.shell.run(typed), 2, `${typed}: ${it.told.at(-1)?.failure?.message}`);
      assert.match(it.told.at(-1)?.failure?.message ?? '', /\*\*\*\* stands for a credential/, `${typed} of ${hidden}`);
      assert.match(it.told.at(-1)?.failure?.hint ?? '', /type it again/);
      assert.equal(it.sessions, 0, typed);
    }
  }
  // of what the operating system runs redo alone is our own
  const it = rig(undefined, {}, new Map(), { history: ['!zoosh --auth digest:**** ls / ; x'] });
  assert.equal(await it.shell.run('redo'), 2);
  assert.deepEqual(it.os, []);
  for (const plain of [
    'set /a ****',
    'create /a ****',
    'get /****',
    'echo digest ****',
    `setAcl /a digest:bob:${HASH}:r`,
  ])
    assert.equal(holdsHidden(plain), false, plain);
});

test('create makes no node that nobody can ever be let in to, unless it is forced to', async () => {
  for (const [acl, exit] of [
    ['digest:bob:secret:cdrwa', 30],
    ['digest:bob:secret:r', 30],
    ['digest:bob:cdrwa', 30],
    ['world:anyone:r,digest:bob:secret:cdrwa', 30],
    // others' nodes are theirs, and what everybody may read nobody need change
    [`digest:bob:${HASH}:cdrwa`, 70],
    [`digest:bob:${HASH}:cdrwa,digest:eve:secret:r`, 70],
    ['world:anyone:r', 70],
    ['ip:10.0.0.1:cdrwa', 70],
  ] as const)
    for (const line of [`create /a d ${acl}`, `create --acl ${acl} /a`]) {
      const it = rig();
      assert.equal(await it.shell.run(line), exit, `${line}: ${it.told.at(-1)?.failure?.message}`);
      if (exit === 70) continue;
      assert.equal(
        it.told.at(-1)?.failure?.message,
        'refused: after this nobody but a superuser could change the ACL of /a',
        line,
      );
      assert.match(it.told.at(-1)?.failure?.hint ?? '', /or use --force/);
      assert.equal(it.sessions, 0);
      const forced = rig();
      assert.equal(await forced.shell.run(line.replace('create', 'create --force')), 70);
      assert.equal(forced.sessions, 1);
    }
});
