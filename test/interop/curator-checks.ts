/** Curator's recipes, on one server and on three, ours and Debian's of Apache: the same pass in the same run. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Members, STEADY } from '../e2e/members.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ApacheMembers } from './apache-members.ts';
import { CuratorProgram } from './curator.ts';

const program = new CuratorProgram();
before(() => program.compile('CuratorChecks', 'CuratorRig', 'CuratorSight', 'CuratorLocks'));
after(() => program[Symbol.dispose]());

/** As many as there are in CuratorSight.java and CuratorLocks.java, so that none is lost on the way. */
const CHECKS = 39;
const LINES = ['maxClientCnxns=0', 'extendedTypesEnabled=true', 'maxSessionTimeout=120000'];

type Servers = AsyncDisposable & { readonly hosts: string };
const ours = (voters: number) => async (): Promise<Servers> => {
  const members = await Members.make({ voters, lines: [...LINES, STEADY] });
  members.startAll();
  await members.serving();
  return members;
};
const apache = (voters: number) => async (): Promise<Servers> => {
  const lines = ['tickTime=500', 'syncLimit=60', 'admin.enableServer=false'];
  const members = await ApacheMembers.start(voters, 0, [...lines, ...LINES]);
  return {
    hosts: members.all.map(({ port }) => `127.0.0.1:${port}`).join(),
    [Symbol.asyncDispose]: () => members[Symbol.asyncDispose](),
  };
};

/** What Curator's program says of these servers, a line a check. */
async function checksOn(hosts: string): Promise<string[]> {
  const words = [
    '-Xmx192m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-cp',
    program.paths,
    'CuratorChecks',
    hosts,
  ];
  const child = spawn('java', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 10 * PATIENCE_MS);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  const lines = text.trimEnd().split('\n');
  assert.deepEqual([code, lines.pop()], [0, `done ${lines.length}`], text);
  return lines;
}

const found = new Map<string, string[]>();
const passed = (who: string): string[] => (found.get(who) ?? []).filter((line) => line.startsWith('ok '));

describe("Curator's recipes", { concurrency: 2 }, () => {
  for (const [who, open] of [
    ['one of ours', ours(1)],
    ["one of Apache's", apache(1)],
    ['three of ours', ours(3)],
    ["three of Apache's", apache(3)],
  ] as const)
    test(`on ${who}`, async (context) => {
      await using servers = await open();
      const lines = await checksOn(servers.hosts);
      assert.equal(lines.length, CHECKS);
      found.set(who, lines);
      context.diagnostic(`curator: ${passed(who).length} of ${lines.length} pass on ${who}`);
      for (const line of lines) if (!line.startsWith('ok ')) context.diagnostic(`curator: ${line}`);
    });
});

test('what passes on Apache passes on ours, one server and three', () => {
  for (const count of ['one', 'three'])
    assert.deepEqual(
      passed(`${count} of Apache's`).filter((line) => !passed(`${count} of ours`).includes(line)),
      [],
      JSON.stringify([...found]),
    );
  // with as many failures on both sides nothing would be shown
  assert.ok(passed('one of ours').length > CHECKS - 3, JSON.stringify([...found]));
});
