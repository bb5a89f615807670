/** Members that nobody leads say so, and a directory of a member is no server by itself. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownPort } from '../ports.ts';
import { zoosh } from './cli.ts';
import { type MemberOfTest, Members, until } from './members.ts';

test('what is left of an ensemble says who is missing and who lost its history; with them it goes on', async () => {
  await using members = await Members.start({ voters: 3 });
  const [one, two, three] = [1, 2, 3].map((id) => members.member(id)) as [MemberOfTest, MemberOfTest, MemberOfTest];
  const says = (member: MemberOfTest, text: RegExp, from = 0): Promise<void> =>
    until(
      () => text.test(member.log.slice(from)),
      PATIENCE_MS,
      () => members.tail(),
    );
  await says(one, /members of this ensemble: voters 1, 2, 3/);
  await two.kill();
  await three.kill();
  await says(one, /no quorum, and so no leader: voters not met: 2, 3\. Of 1, 2, 3 only 1 can vote\. Start those/);
  rmSync(join(two.data, 'zoosh-1'), { recursive: true });
  const before = one.log.length;
  two.start();
  await says(one, /voters not met: 3; without the history that they had, and so without a vote: 2\./, before);
  three.start();
  await members.serving();
  await says(one, /members of this ensemble: voters 1, 2, 3; server 2 is admitted with a new directory/, before);
  await members.equal();
});

test('a server without server lines on the directory of a member is refused at once, and says what would start it', async () => {
  await using members = await Members.start({ voters: 3 });
  const member = members.member(1);
  await using client = await connect(members.hosts, { connectTimeoutMs: PATIENCE_MS });
  await client.create('/kept');
  await member.kill('SIGTERM');
  const port = String(await ownPort('127.0.0.1'));
  const ran = await zoosh(['start', 'standalone', '--data', member.data, '--port', port]);
  assert.equal(ran.code, 43, ran.stderr);
  assert.match(
    ran.stderr,
    /belongs to an ensemble whose voters are 1, 2, 3, and this configuration has no server lines\. Start it with the zoo\.cfg/,
  );
  // it was only looked at
  member.start();
  await members.serving();
  await members.equal();
});
