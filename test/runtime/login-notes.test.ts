/** What the log tells of logins that are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoginNotes } from '../../src/runtime/login-notes.ts';
import type { RefusedLogin } from '../../src/server/refused-login.ts';

function notes() {
  const clock = { now: 0 };
  const log: string[] = [];
  const around = {
    ports: { clock: { monotonic: () => clock.now } as never },
    options: { logger: { warn: (text: string) => void log.push(text) } as never },
  };
  const told = new LoginNotes(around);
  const refused = (more: Partial<RefusedLogin> = {}): void =>
    told.refused({ door: 'client', ip: '10.0.0.7', session: 5n, scheme: 'sasl', user: 'ann', ...more });
  return { clock, log, refused };
}

test('where from, by which scheme, and as whom, in one line whatever the name is', () => {
  const { log, refused } = notes();
  refused();
  refused({ door: 'admin', scheme: 'digest', user: 'super' });
  refused({ scheme: undefined, user: undefined });
  refused({ user: 'a\n2026 info  all is well\u001b[2J\u202e' });
  assert.deepEqual(log, [
    'a client at 10.0.0.7: a login by sasl as "ann" was refused',
    'the admin server was asked from 10.0.0.7: a login by digest as "super" was refused',
    'a client at 10.0.0.7: a login by no scheme was refused',
    'a client at 10.0.0.7: a login by sasl as "a\\u000a2026 info  all is well\\u001b[2J\\u202e" was refused',
  ]);
});

test('whoever guesses fills no disk: the same once a minute, and sixty in all', () => {
  const { clock, log, refused } = notes();
  for (let i = 0; i < 1000; i++) refused();
  assert.equal(log.length, 1);
  for (let i = 0; i < 10_000; i++) refused({ user: `ann${i}` });
  assert.equal(log.length, 61);
  assert.equal(log[60], 'more logins are refused than are told of in a minute; auth_failed_count counts them all');
  clock.now = 59_999;
  refused({ user: 'another' });
  assert.equal(log.length, 61);
  clock.now = 60_000;
  refused();
  assert.deepEqual(log.slice(61), ['a client at 10.0.0.7: a login by sasl as "ann" was refused']);
});
