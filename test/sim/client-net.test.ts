/** What the checker at the border is told that a server heard. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { clientListener } from './world/client-net.ts';
import { Host } from './world/host.ts';
import { Links } from './world/links.ts';
import { Network } from './world/network.ts';
import { Scheduler } from './world/scheduler.ts';
import { Trace } from './world/trace.ts';

test('what the server reads before a reset is heard; what comes behind its own end is not', async () => {
  for (const ends of [false, true]) {
    const scheduler = new Scheduler(seededRandom(1), new Trace());
    const network = new Network(scheduler, new Links(seededRandom(2)), seededRandom(3));
    const [server, client] = [new Host('10.0.0.1', 1, scheduler), new Host('10.0.1.1', 2, scheduler)];
    for (const host of [server, client]) {
      host.boot();
      network.add(host);
    }
    const run = async (ms: number): Promise<void> => {
      let isLate = false;
      scheduler.at(scheduler.now + ms, 0, 0, () => {
        isLate = true;
      });
      await scheduler.runUntil(() => isLate);
    };
    const heard: string[] = [];
    const read: string[] = [];
    let socket: Socket | undefined;
    const tap = { opened: () => {}, answered: () => {}, closed: () => {} };
    clientListener(network, server, { ...tap, heard: (_, bytes) => heard.push(bytes.toString()) })((accepted) => {
      socket = accepted;
      accepted.on('data', (bytes: Buffer) => read.push(bytes.toString()));
    }).listen({ port: 1 }, () => {});
    const dialled = network.dial(client, '10.0.0.1', 1, 1000, { data: () => {}, closed: () => {} }, undefined);
    await run(1000);
    const end = await dialled;
    end.send(Buffer.from('asked'));
    if (ends) socket?.destroySoon();
    else for (const stream of network.streams) stream.break(1);
    await run(1000);
    assert.equal(read.length, 1);
    assert.deepEqual(heard, ends ? [] : read);
  }
});
