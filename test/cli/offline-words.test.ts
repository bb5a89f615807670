import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionsWith } from '../../src/cli/offline-words.ts';

test('sessions and what goes with them, one and many', () => {
  assert.equal(sessionsWith(0, 0), '0 sessions and their 0 ephemeral nodes');
  assert.equal(sessionsWith(1, 2), '1 session and its 2 ephemeral nodes');
  assert.equal(sessionsWith(2, 1), '2 sessions and their 1 ephemeral node');
});
