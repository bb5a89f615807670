/** Malformed requests against the whole pure server: no exception may leave it, and what it logged must replay to the same tree. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { OPERATIONS, operationNamed } from '../../src/protocol/operations.ts';
import { digest } from '../../src/tree/snapshot.ts';
import { amount } from '../amount.ts';
import { oddRequest } from '../fuzz/requests.ts';
import { lateIf, timely } from '../patience.ts';
import { rig } from './rig.ts';

const INPUTS = amount(100_000, 30_000);

test(`${INPUTS} malformed and odd requests: nothing is thrown, nothing blocks, the log replays to the same tree`, () =>
  timely(() => {
    const random = seededRandom(20);
    const { server, replica, closed, settle, attach } = rig(random);
    const counts = new Map<string, number>();
    const bystander = attach();
    let connection = attach();
    let longest = 0;
    for (let i = 0; i < INPUTS; i++) {
      const bytes = oddRequest(random, counts);
      const began = process.cpuUsage();
      server.receive(connection, bytes, 0, bytes.length);
      if (random.below(3) === 0) settle();
      longest = Math.max(longest, process.cpuUsage(began).user / 1000); // other processes do not count
      if (closed.has(connection)) {
        settle();
        server.disconnected(connection);
        connection = attach();
      }
      if (i % 5000 === 0) {
        server.now += 1500; // some sessions expire on the way; the bystander pings
        const ping = Buffer.from('fffffffe0000000b', 'hex');
        server.receive(bystander, ping, 0, ping.length);
        server.expire();
        settle();
      }
    }
    settle();
    assert.equal(server.outstanding, 0);
    assert.equal(server.decidedAhead, 0); // what was decided ahead does not pile up
    assert.equal(bystander.state, 'open');
    assert.equal(digest(replica), digest(server.tree));
    const decoded = [...counts].filter(([name]) => name !== 'raw').reduce((sum, [, count]) => sum + count, 0);
    console.log(
      `requests by operation: ${[...counts].map(([name, count]) => `${name} ${count}`).join(', ')}; longest ${longest.toFixed(1)} ms`,
    );
    assert.ok(decoded > INPUTS / 2);
    assert.ok(
      Object.keys(OPERATIONS).every(
        (name) => (counts.get(name) ?? 0) > 500 && operationNamed(OPERATIONS[name as 'create'].code) === name,
      ),
    );
    return lateIf(longest >= 100, `one took ${longest.toFixed(1)} ms`);
  }));
