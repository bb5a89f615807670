/** The counter of an epoch runs out under load: a new epoch begins by itself and no acknowledged write is lost. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { makeLogger } from '../../src/runtime/log.ts';
import { type RunningServer, startServer } from '../../src/runtime/start.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';
import { Peer } from '../../src/zab/peer.ts';

const LAST = 150;
const WRITERS = 8;
const EACH = 100;

test('a term whose counter is used up ends once everything in it is committed, and the next one serves', () => {
  const config = {
    members: [{ sid: 1, role: 'participant' as const, incarnation: 'aa', addresses: [], client: null }],
    maxTxnBytes: 1e6,
  };
  const none = { epoch: 0, counter: 0 };
  const past = { sid: 1, incarnation: 'aa', bootTag: 'bb', acceptedEpoch: 0, currentEpoch: 0 };
  const peer = new Peer({ ...past, last: none, committed: none, config, seenTags: new Set() }, 1, 3);
  const begin = (epoch: number): void => {
    const asked = [...peer.step({ type: 'epochsStored', accepted: epoch, current: epoch - 1 })];
    assert.deepEqual(asked, [{ type: 'storeEpochs', accepted: epoch, current: epoch }]);
    const stands = peer.step({ type: 'epochsStored', accepted: epoch, current: epoch });
    assert.deepEqual(
      stands.map(({ type }) => type),
      ['established', 'commit', 'proposeSeen'],
    );
    peer.proposedFirst(peer.leader?.propose() ?? 0);
  };
  const persisted = (epoch: number, counter: number) =>
    peer.step({ type: 'persisted', generation: 1, upTo: { epoch, counter } }).map(({ type }) => type);
  assert.deepEqual(peer.step({ type: 'start' }), [{ type: 'storeEpochs', accepted: 1, current: 0 }]);
  begin(1);
  assert.deepEqual(persisted(1, 1), ['commit', 'serve']);
  peer.leader?.propose();
  peer.leader?.propose();
  assert.throws(() => peer.leader?.propose(), /beyond the end/);
  assert.deepEqual(persisted(1, 2), ['commit']);
  assert.throws(() => peer.step({ type: 'exhausted' }), /before its proposals/);
  assert.deepEqual(persisted(1, 3), ['commit']);
  assert.deepEqual(peer.step({ type: 'exhausted' }), [{ type: 'storeEpochs', accepted: 2, current: 1 }]);
  assert.throws(() => peer.step({ type: 'exhausted' }), /did not run/);
  begin(2);
  assert.equal(peer.leader?.epoch, 2);
  assert.deepEqual(persisted(2, 1), ['commit', 'serve']);
});

test(`${WRITERS * EACH} writes through epochs of ${LAST} transactions`, { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-epoch-'));
  const lines = `tickTime=500\ndataDir=${folder}\nclientPort=0\nclientPortAddress=127.0.0.1\nsnapCount=100\n`;
  const config = checkConfig(parseProperties(lines, 'zoo.cfg'));
  const logger = makeLogger('error', 'text');
  const start = (): Promise<RunningServer> =>
    startServer({ config, logger, lastCounter: LAST, onFailed: (error) => assert.fail(error) });
  try {
    const versions = new Map<string, number>();
    const zxids: bigint[] = [];
    {
      await using server = await start();
      const write = async (lane: number): Promise<void> => {
        await using client = await connect(`127.0.0.1:${server.port}`);
        await client.create(`/n${lane}`, 'x');
        // several under way at once, so that the end of an epoch falls between them
        const sets = Array.from({ length: EACH }, (_, i) => client.set(`/n${lane}`, `${i}`));
        let last = 0n;
        for (const stat of await Promise.all(sets)) {
          assert.ok(stat.mzxid > last, 'the zxid went back');
          last = stat.mzxid;
          zxids.push(last);
          versions.set(`/n${lane}`, stat.version);
        }
      };
      await Promise.all(Array.from({ length: WRITERS }, (_, lane) => write(lane)));
    }
    const epochs = new Set(zxids.map((zxid) => Number(zxid >> 32n)));
    assert.deepEqual([...epochs].sort(), [1, 2, 3, 4, 5, 6]);
    assert.ok(zxids.every((zxid) => Number(zxid & 0xffff_ffffn) <= LAST));
    assert.equal(new Set(zxids).size, WRITERS * EACH);
    await using server = await start();
    await using client = await connect(`127.0.0.1:${server.port}`);
    for (const [path, version] of versions) {
      const { data, stat } = await client.get(path);
      assert.equal(version, EACH);
      assert.deepEqual([data?.toString(), stat.version], [`${EACH - 1}`, EACH]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
