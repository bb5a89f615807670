/** A command of one line begins and ends soon: it loads what it needs and no more. The figures: test/bench/one-shot.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { timeOf } from '../bench/process-time.ts';
import { lateIf, timely } from '../patience.ts';
import { BIN } from './cli.ts';
import { ServerProcess } from './process.ts';

const ROUNDS = 9;
/** Beyond three times a Node that does nothing, ms: the bench allows 20 on a machine that does nothing else. */
const MARGIN_MS = 60;

test('get takes at most three times as long as a Node that does nothing, and a little', async () => {
  await using server = await new ServerProcess().start();
  const home = mkdtempSync(join(tmpdir(), 'zoosh-one-shot-'));
  const env = { ZOOSH_HOME: home, ZOOSH_CODE_CACHE: join(home, 'code') };
  const get = [BIN, '-s', server.hosts, 'get', '/x'];
  try {
    // what earlier starts kept is there
    await timeOf([BIN, '-s', server.hosts, 'create', '/x', 'data'], env);
    for (let starts = 0; starts < 2; starts++) await timeOf(get, env);
    await timely(async () => {
      // in turn, so that both meet the same machine
      const took = { node: [] as number[], get: [] as number[] };
      for (let round = 0; round < ROUNDS; round++) {
        took.node.push(await timeOf(['-e', '0']));
        took.get.push(await timeOf(get, env));
      }
      // on a busy machine the least is the nearest to what they take themselves, and what is late is it every time
      const [node, ours] = [Math.min(...took.node), Math.min(...took.get)];
      return lateIf(ours > 3 * node + MARGIN_MS, `get took ${Math.round(ours)} ms, an empty Node ${Math.round(node)}`);
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
