/**
 * Our shell against a real ZooKeeper server, every command and option of it. The interop suite runs it against Apache's
 * server and against ours, with the same expectations:
 *
 *   ZOOKEEPER=127.0.0.1:2181 node --test dist/test/interop/shell-apache.js
 *
 * The server: standalone, enforceQuota=true, TTL nodes off, digest authentication. Debian's zookeeper and python3-kazoo
 * must be there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverage, LiveShell } from './live-shell.ts';
import './shell-write.ts';
import './shell-read.ts';
import './shell-access.ts';
import './shell-scripts.ts';
import './shell-session.ts';
import './shell-json.ts';
import './shell-bulk.ts';
import './shell-watch.ts';
import './shell-recipes.ts';

const QUIET = 'cd quit reconfig redo time ensemble edit txn check commit abort let run clear'.split(' ');
/** Recipes that print what the program they run prints, and nothing by themselves. */
const RECIPES = ['lock', 'elect', 'semaphore', 'barrier'];

test('nothing of the registry is left out', (t) => {
  const { commands, params, unused, withoutJson } = coverage();
  // ensemble is about processes of our own: test/e2e/ensemble.test.ts
  assert.deepEqual(unused, ['ensemble']);
  // these print nothing, or what the command or program they run prints; reconfig needs an ensemble: shell-ensemble.ts;
  // what a transaction prints as JSON is in test/e2e/accept-script.test.ts
  assert.deepEqual(withoutJson, [...QUIET, ...RECIPES]);
  t.diagnostic(`${commands} of ${commands} commands, ${params} of ${params} parameters, ${LiveShell.answers} lines`);
});
