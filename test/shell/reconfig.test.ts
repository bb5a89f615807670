import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type KeeperCode, KeeperError } from '../../src/base/errors.ts';
import { Safety } from '../../src/cli/safety.ts';
import type { Client } from '../../src/client/api.ts';
import { toPlain } from '../../src/out/plain.ts';
import { rig } from './rig.ts';

const TEXT = [1, 2, 3].map((n) => `server.${n}=h${n}:2888:3888:participant;h${n}:2181\n`).join('');
const STAT = {
  ...{ czxid: 0n, mzxid: 5n, ctime: 0, mtime: 0, version: -1, cversion: 0, aversion: -1, ephemeralOwner: 0n },
  ...{ dataLength: 0, numChildren: 0, pzxid: 0n },
};

/** A shell on an ensemble of three; `asked` holds what it was asked to change. */
function shellOf(failure?: KeeperCode, text = `${TEXT}version=100000003`) {
  const asked: unknown[] = [];
  const client = {
    getConfig: async () => ({ data: Buffer.from(text), stat: STAT }),
    reconfig: async (change: unknown) => {
      asked.push(change);
      if (failure !== undefined) throw new KeeperError(failure, '/zookeeper/config');
      return { data: Buffer.from('server.9=new'), stat: STAT };
    },
  };
  const it = rig(client as unknown as Client);
  return { ...it, asked, run: (line: string) => it.shell.run(line) };
}

test('reconfig says what it is about to do, does it, and shows the new members', async () => {
  const it = shellOf();
  assert.equal(
    await it.run('reconfig --add 4=h4:1:2;3,server.2=h2:2888:3888:observer;2181 --add 5=h5:1:2;3 --remove 3,7'),
    0,
  );
  assert.deepEqual(it.asked, [
    {
      joining: 'server.4=h4:1:2;3,server.2=h2:2888:3888:observer;2181,server.5=h5:1:2;3',
      leaving: '3,7',
    },
  ]);
  assert.deepEqual(it.plans, [
    {
      what: 'change the members of the ensemble',
      path: '/zookeeper/config',
      details: [
        'before: voters 1 2 3, quorum 2',
        'after:  voters 1 4 5, quorum 2; observers 2',
        '- server.3=h3:2888:3888:participant;h3:2181',
        '~ server.2=h2:2888:3888:observer;2181',
        '+ server.4=h4:1:2;3',
        '+ server.5=h5:1:2;3',
      ],
    },
  ]);
  assert.deepEqual(
    it.shown.map((output) => toPlain(output).toString()),
    ['server.9=new\n'],
  );
});

test('as zkCli spells it, with the version in hexadecimal', async () => {
  const it = shellOf();
  assert.equal(await it.run('reconfig -remove 3 -add server.6=h6:1:2;3 -v 10000000a -s'), 0);
  assert.deepEqual(it.asked, [{ joining: 'server.6=h6:1:2;3', leaving: '3', version: 0x10000000an }]);
  assert.match(toPlain(it.shown[0]!).toString(), /^server\.9=new\n.*mzxid/s);
  assert.equal(await it.run('reconfig -v 0xff -members 1=a:1:2;3,2=b:1:2;3'), 0);
  assert.deepEqual(it.asked[1], { members: 'server.1=a:1:2;3\nserver.2=b:1:2;3', version: 255n });
});

test('all members from a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-reconfig-'));
  try {
    const file = join(folder, 'members');
    writeFileSync(file, '# all of them\r\nserver.1=a:1:2;3\n\nserver.2=b:1:2;3\ngroup.1=1:2\nversion=5\n');
    const it = shellOf();
    assert.equal(await it.run(`reconfig --file ${file}`), 0);
    assert.deepEqual(it.asked, [{ members: 'server.1=a:1:2;3\nserver.2=b:1:2;3\ngroup.1=1:2' }]);
    assert.match(it.plans[0]?.details?.[1] ?? '', /after: {2}voters 1 2, in groups/);
    writeFileSync(file, 'tickTime=2\n');
    assert.equal(await it.run(`reconfig -file ${file}`), 2);
    assert.match(it.told[0]?.failure.message ?? '', /holds tickTime=2/);
    assert.equal(await it.run(`reconfig -file ${folder}/none`), 2);
    assert.equal(it.asked.length, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what cannot be meant is refused before anything is sent', async () => {
  for (const line of [
    'reconfig',
    'reconfig -add',
    'reconfig -s -v 1',
    'reconfig -remove 1 -members 1=a:1:2;3',
    'reconfig -add 1=a:1:2;3 -file f',
    'reconfig -members 1=a:1:2;3 -file f',
    'reconfig -remove 1 -v zz',
    'reconfig -remove 1 -v ""',
    'reconfig 1',
  ]) {
    const it = shellOf();
    assert.equal(await it.run(line), 2, line);
    assert.deepEqual([it.asked, it.sessions, it.plans], [[], 0, []], line);
  }
});

test('each refusal of the servers has its exit code and says what to do', async () => {
  const cases: [KeeperCode, number, RegExp][] = [
    ['ReconfigDisabled', 24, /reconfigEnabled=true/],
    ['Unimplemented', 21, /standaloneEnabled=false/],
    ['ReconfigInProgress', 22, /try again/],
    ['BadVersion', 12, /config shows them/],
    ['BadArguments', 20, /QUORUMPORT/],
    ['NewConfigNoQuorum', 23, /start the servers/],
    ['NoAuth', 14, /addauth digest super/],
    ['ConnectionLoss', 6, /look/],
  ];
  for (const [code, exit, hint] of cases) {
    const it = shellOf(code);
    assert.equal(await it.run('reconfig -remove 1'), exit, code);
    assert.match(it.told[0]?.failure.hint ?? '', hint, code);
  }
});

test('what concerns the ensemble is never done unasked', async () => {
  const plan = { what: 'change the members', path: '/zookeeper/config' };
  const safety = (yes: boolean): Safety =>
    new Safety({ canAsk: () => false, yes, isProtected: () => false, profile: () => undefined });
  await assert.rejects(safety(false).confirm(plan, 'cluster'), { exit: 30, hint: /--yes/ });
  await safety(true).confirm(plan, 'cluster');
  await safety(false).confirm(plan, 'bulk');
});
