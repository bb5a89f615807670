/** What a person met who used the shell as the README says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedLast } from '../../src/cli/ask.ts';
import { manPage } from '../../src/cli/man-page.ts';
import { type TargetSources, targetText } from '../../src/cli/targets.ts';
import { connect } from '../../src/client/connect.ts';
import { startEmbedded } from '../../src/runtime/embed.ts';
import { nearest } from '../../src/shell/suggest.ts';
import { rig } from './rig.ts';

test('a dry run sees the tree as it is, not what an earlier dry run only thought of', async () => {
  await using server = await startEmbedded({ logLevel: 'error' });
  await using client = await connect(server.connectString);
  const it = rig(client);
  await it.shell.run('create /a old');
  for (const line of ['create -n /new x', 'create -n /new x', 'set -n /a thought', 'set /a real', 'set -n /a again']) {
    assert.equal(await it.shell.run(line), 0, line);
  }
  const last = it.shown.at(-1);
  assert.equal(last?.type, 'plan');
  if (last?.type === 'plan') assert.equal(Buffer.from(last.changes[0]?.before ?? []).toString(), 'real');
});

test('what does not fit beside its answer is said above it, and the question is the last sentence', () => {
  const message = 'About to delete 3,001 nodes under /big. This profile is protected. Type the path:';
  assert.deepEqual(askedLast(message, 120), { above: [], asked: message });
  assert.deepEqual(askedLast(message, 80), {
    above: [' About to delete 3,001 nodes under /big. This profile is protected.'],
    asked: 'Type the path:',
  });
  const { above, asked } = askedLast(message, 40);
  assert.deepEqual([above.length, asked], [2, 'Type the path:']);
  for (const line of above) assert.ok(line.length <= 40, line);
  // one sentence alone breaks between words
  assert.deepEqual(askedLast('Delete 100 nodes under /some/rather/long/path?', 40), {
    above: [' Delete 100 nodes under'],
    asked: '/some/rather/long/path?',
  });
});

test('the manual says dashes as they are typed', async () => {
  const page = await manPage();
  assert.doesNotMatch(page, /\\e\\-/);
  assert.match(page, /^\[OPTION\.\.\.\] \[TARGET\] \\- \[ARG\.\.\.\]$/m);
});

test('no name is proposed that has nothing of what was typed; zoosh at its own prompt is told so', async () => {
  assert.deepEqual(nearest('y', ['?', 'ls']), []);
  assert.deepEqual(nearest('l', ['?', 'ls']), ['ls']);
  const it = rig();
  assert.equal(await it.shell.run('zoosh ls /'), 127);
  assert.match(it.told[0]?.failure.hint ?? '', /leave the word out/);
});

test('a profile whose password is missing is still the one that is meant', () => {
  const sources = { globals: { auth: [] }, env: {}, profiles: { default: 'prod' } } as unknown as TargetSources;
  assert.equal(targetText('@lab', sources), '@lab');
  assert.equal(targetText(undefined, sources), '@prod');
  assert.equal(targetText(undefined, { ...sources, env: { ZOOSH_PROFILE: 'lab' } }), '@lab');
  assert.equal(targetText(undefined, { ...sources, env: { ZK_SERVER: 'zk1:1' } }), 'zk1:1');
});

test('a word where none, or another, belongs is answered with how the command is written', async () => {
  for (const [line, message, hint] of [
    ['apply /tmp/x', 'apply: one word too many: /tmp/x', /^usage: apply -f FILE/],
    ['each /app {', 'each: the word do belongs here, not {', /^usage: each .*do/],
    ['cd /a b', 'cd: one word too many: b', /^put quotes around text with blanks$/],
  ] as const) {
    const { shell, told } = rig();
    assert.equal(await shell.run(line), 2, line);
    assert.equal(told[0]?.failure.message, message);
    assert.match(told[0]?.failure.hint ?? '', hint);
  }
});
