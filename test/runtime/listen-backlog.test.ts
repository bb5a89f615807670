/** What the system is told of connections that may wait: a listener of our own hears it. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Server as NetServer } from 'node:net';
import { test } from 'node:test';
import { realClock } from '../../src/platform/clock.ts';
import { ClientDoors } from '../../src/runtime/client-doors.ts';
import { makeLogger } from '../../src/runtime/log.ts';
import { noTraffic } from '../../src/runtime/traffic.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';

/** How the client port is opened with these lines. */
async function opened(lines: string): Promise<{ port?: number; backlog?: number }> {
  let heard = {};
  class Listening extends EventEmitter {
    listen(options: object, then: () => void): void {
      heard = options;
      then();
    }
    address = () => ({ address: '127.0.0.1', port: 7 });
  }
  const doors = new ClientDoors({
    config: checkConfig(parseProperties(`dataDir=/d\nclientPort=7\n${lines}`, 'zoo.cfg')),
    ...{ clock: realClock, logger: makeLogger('error', 'text'), traffic: noTraffic(), keys: undefined, shown: {} },
    ...{ listener: () => new Listening() as unknown as NetServer, descriptors: undefined, serve() {}, refused() {} },
  });
  await doors.listen();
  return heard;
}

test('clientPortListenBacklog is handed to the system; -1, as when nothing is said, leaves it to us', async () => {
  assert.equal((await opened('clientPortListenBacklog=77')).backlog, 77);
  assert.equal((await opened('clientPortListenBacklog=-1')).backlog, (await opened('')).backlog);
});
