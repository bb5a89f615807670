/** What zkCli says to members of an ensemble: one alone that serves reads, and a config that is changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/client/connect.ts';
import { Members, peerPortsOf, STEADY, until } from '../e2e/members.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ownBlock } from '../ports.ts';
import { capturesOf } from './captures.ts';
import { play, type Result, shown } from './play.ts';

const HOST = '127.0.0.1';
/** What a client that may not come in waits, ms. */
const SHUT_MS = 2000;
const SUPER = 'DigestAuthenticationProvider.superDigest=super:xQJmxLMiHGwaqBvst5y6rkB6HQs=';

/** Without ports, versions of configs, and how long a config with these ports is. */
const plain = (result: Result): string =>
  shown(result)
    .replace(/HOST:\d+/g, 'HOST:PORT')
    .replace(/0\.0\.0\.0:\d+/g, '0.0.0.0:PORT')
    .replace(/^version=[0-9a-f]+$/gm, 'version=?')
    .replace(/^[0-9a-f]{9,} (?=,)/gm, '? ')
    .replace(/^dataLength = \d+$/gm, 'dataLength = ?');

/** Each case of a group again, with these ports in the place of those in it. */
async function compare(group: string, ports: ReadonlyMap<string, number>, patienceMs: (at: number) => number) {
  const here = (text: string): string => text.replace(/\b21\d{3}\b/g, (port) => String(ports.get(port) ?? port));
  const differing: string[] = [];
  let cases = 0;
  for (const [at, capture] of capturesOf('3.8.0', group).entries()) {
    const { args, stdin } = capture;
    const wanted = plain(capture);
    const got = plain(await play(args.map(here), stdin?.map(here), '3.8', patienceMs(at)));
    if (got !== wanted) differing.push(`${capture.title}\n--- zkCli\n${wanted}--- zoosh\n${got}`);
    cases++;
  }
  if (differing.length > 0) assert.fail(`${differing.length} of ${cases} differ\n${differing.join('\n')}`);
  return cases;
}

test('accept 3: readonly as zkCli 3.8 has it', async () => {
  const lines = ['localSessionsEnabled=true', 'readonlymode.enabled=true'];
  await using members = await Members.start({ voters: 3, lines, clientsApart: true });
  const only = members.member(1);
  await Promise.all([2, 3].map((id) => members.member(id).kill()));
  await until(
    async () => (await only.word('isro').catch(() => '')) === 'ro',
    PATIENCE_MS,
    () => members.tail(),
  );
  const cases = await compare('readonly', new Map([['21161', only.clientPort]]), (at) =>
    at === 0 ? SHUT_MS : PATIENCE_MS,
  );
  assert.equal(cases, 4);
});

test('accept 3: reconfig-ensemble as zkCli 3.8 has it', async () => {
  const lines = ['reconfigEnabled=true', SUPER, STEADY];
  await using members = await Members.start({ voters: 3, observers: 1, lines, clientsApart: true });
  const ports = new Map<string, number>();
  for (const { id, clientPort } of members.all) {
    const [quorum, election] = peerPortsOf(members, id);
    ports.set(`2112${id}`, clientPort).set(`2113${id}`, quorum).set(`2114${id}`, election);
  }
  // one that never comes
  const none = await ownBlock(HOST, 3);
  for (const [at, port] of ['21127', '21137', '21147'].entries()) ports.set(port, none + at);
  await using client = await connect(members.hosts);
  for (const name of ['380-follower', '380-leader', '380-observer']) await client.create(`/${name}`);
  assert.equal(await compare('reconfig-ensemble', ports, () => PATIENCE_MS), 11);
});
