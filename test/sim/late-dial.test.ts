/** A connection to one that was to lead stands late, when another leads already: what is for the leader goes to the leader. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { PeerPort } from '../../src/runtime/peers.ts';
import { Story } from './hist/story.ts';

/** Greater than any number of a connection. */
const LATE = 1_000_000;
interface Inside {
  readonly options: { self(): { readonly sid: number } };
  readonly events: { linked(sid: number, link: number, dialled: boolean): void };
}

test('I12: a follower that is connected late with somebody else goes on with its leader', async () => {
  const ports = new Map<number, Inside>();
  const { dial } = PeerPort.prototype;
  const dialled = mock.method(PeerPort.prototype, 'dial', function (this: PeerPort, to: number): void {
    const inside = this as unknown as Inside;
    ports.set(inside.options.self().sid, inside);
    dial.call(this, to);
  });
  try {
    using it = new Story({ seed: 5 });
    it.start();
    await it.serving();
    const leader = await it.leader();
    const [follower, other] = it.others(leader) as [number, number];
    ports.get(follower)?.events.linked(other, LATE, true);
    assert.notEqual(await it.write(it.clientOf(follower)), undefined);
    await it.end();
    assert.deepEqual(it.violations, []);
  } finally {
    dialled.mock.restore();
  }
});
