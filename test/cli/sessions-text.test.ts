import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionsText } from '../../src/cli/sessions-text.ts';

test('sessions that are left behind are counted as people count', () => {
  assert.equal(sessionsText(0, 0), 'no sessions');
  assert.equal(sessionsText(1, 1), '1 session and its 1 ephemeral node');
  assert.equal(sessionsText(5, 1200), '5 sessions and their 1,200 ephemeral nodes');
});
