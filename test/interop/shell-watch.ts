/** `watch` in the shell, while other eyes change what it looks at; values inside JSON; ACLs below a node. */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { note, zoosh } from './live-shell.ts';
import { base, client, ENV, HOME, SERVER, shell } from './shell-rig.ts';

/** Runs it as a process and makes the change again and again until it has seen enough. */
async function watched(options: readonly string[], words: readonly string[], change: (at: number) => Promise<unknown>) {
  const at = words.map((word) => (/^[^*\s]*$/.test(word) ? word : `'${word}'`)).join(' ');
  note(`watch ${at}`, options.includes('json'));
  let isOver = false;
  const running = zoosh([...options, SERVER, 'watch', ...words], ENV).finally(() => {
    isOver = true;
  });
  for (let times = 0; !isOver; times++) {
    await change(times);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  const { out, err, status } = await running;
  return { out: out.toString(), err, status };
}

test('watch: one event, all below, until, a program, in time', async () => {
  const at = await base('watching');
  const path = (await client.create(`${at}/n`, 'first')).path;
  const write = (times: number) => client.set(path, `value ${times}`);
  const breed = async (times: number) => {
    if (times % 2 === 0) await client.create(`${path}/child`);
    else await client.delete(`${path}/child`);
  };
  const once = await watched(['-o', 'json'], ['--diff', path], write);
  assert.deepEqual([once.err, once.status], ['', 0]);
  const [event] = JSON.parse(once.out) as { type: string; path: string; new: { data: string } }[];
  assert.deepEqual([event?.type, event?.path], ['NodeDataChanged', path]);
  assert.match(event?.new.data ?? '', /^value \d+$/);

  const below = await watched([], ['-R', '-c', '--count', '2', at], breed);
  assert.equal(below.status, 0, below.err);
  const kinds = below.out
    .split('\n')
    .slice(0, 2)
    .map((line) => line.split('\t').slice(1).join(' '));
  assert.deepEqual(kinds.toSorted(), [`NodeCreated ${path}/child`, `NodeDeleted ${path}/child`]);

  const until = await watched([], ['--quiet', '--until', 'data=*7*', path], write);
  assert.deepEqual(until, { out: '', err: '', status: 0 });
  const late = await watched([], ['-d', '-f', '--timeout', '1s', `${at}/absent`], async () => {});
  assert.deepEqual(late, { out: '', err: `error: no event in 1s: ${at}/absent\n`, status: 124 });
  const program = await watched([], [path, '--', 'sh', '-c', 'echo "$ZOOSH_EVENT $ZOOSH_PATH"; exit 3'], write);
  assert.deepEqual(program, { out: `changed ${path}\n`, err: '', status: 3 });
});

test('values inside JSON: shown, replaced, edited; ACLs of all below', async () => {
  const at = await base('values');
  const path = (await client.create(`${at}/n`, '{"level":"info", "ports":[1,2]}')).path;
  await using sh = shell('-o', 'plain');
  await sh.ok(`get --at .level ${path}`, 'info\n');
  await sh.ok(`get --at .ports ${path}`, '[1,2]\n');
  await sh.ok(`get --no-pretty -m ${path}`, `${path}:\n{"level":"info", "ports":[1,2]}\n`);
  await sh.no(`get --at .nope ${path}`, 10, `error: the data of ${path} has no such value`);
  await sh.no(`get --at .x ${at}`, 10, `error: the data of ${at} is not JSON`);
  await sh.ok(`set --at .ports[1] ${path} 7`, '1\n');
  await sh.ok(`set --at .level ${path} warn`, '2\n');
  await sh.no(`set --at .level.deep ${path} x`, 10, `error: the data of ${path} has no place for such a value`);
  await sh.ok(`get ${path}`, '{"level":"warn", "ports":[1,7]}\n');
  const editor = join(HOME, 'value-editor');
  writeFileSync(editor, '#!/bin/sh\ngrep -qx warn "$1" && echo debug >"$1"\n');
  chmodSync(editor, 0o755);
  note(`edit --at .level ${path}`);
  const edited = await zoosh([SERVER, 'edit', '--at', '.level', path], { ...ENV, EDITOR: editor });
  assert.deepEqual([edited.out.toString(), edited.status], ['3\n', 0], edited.err);
  await sh.ok(`get ${path}`, '{"level":"debug", "ports":[1,7]}\n');
  await sh.ok(`getAcl -R ${at}`, `${at}\tworld:anyone:cdrwa\n${path}\tworld:anyone:cdrwa\n`);
});
