/**
 * `node dist/test/bench/one-shot.js`: how long one command takes from the start of its process to its end, beside a Node
 * that does nothing, how long until the prompt of a shell is up, and how long a server takes from its start to `ready`. In
 * turn, medians, from code that earlier starts kept, and a command without it besides. Exits 1 when `zoosh -s HOST get /x` takes more than 150 ms or three times an empty Node and 20 ms, the
 * prompt 150 ms, or a start 300 ms.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIN } from '../e2e/cli.ts';
import { ServerProcess } from '../e2e/process.ts';
import { Session } from '../editor/session.ts';
import { median, timeOf } from './process-time.ts';

const ROUNDS = 21;

async function ready(): Promise<number> {
  const began = performance.now();
  await using server = new ServerProcess();
  await server.start();
  return performance.now() - began;
}

/** From the start of a shell in a pseudo terminal to the prompt that keys go to. */
async function prompt(hosts: string, home: string): Promise<number> {
  const began = performance.now();
  using session = new Session({
    sh: `exec ${process.execPath} ${BIN} ${hosts}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8', ZOOSH_CODE_CACHE: code },
  });
  await session.until((screen) => screen.includes('> |'), 'the prompt');
  const took = performance.now() - began;
  session.type('\x04');
  await session.ended();
  return took;
}

const home = mkdtempSync(join(tmpdir(), 'zoosh-one-shot-'));
const code = join(home, 'code');
process.env.ZOOSH_CODE_CACHE = code;
await using server = await new ServerProcess().start();
await timeOf([BIN, '-s', server.hosts, 'create', '/x', 'data']);
for (let starts = 0; starts < 2; starts++) await timeOf([BIN, '-s', server.hosts, 'get', '/x']);
const took = {
  node: [] as number[],
  get: [] as number[],
  bare: [] as number[],
  prompt: [] as number[],
  start: [] as number[],
};
for (let round = 0; round < ROUNDS; round++) {
  took.node.push(await timeOf(['-e', '0']));
  took.get.push(await timeOf([BIN, '-s', server.hosts, 'get', '/x']));
  took.bare.push(await timeOf([BIN, '-s', server.hosts, 'get', '/x'], { ZOOSH_CODE_CACHE: 'off' }));
  took.prompt.push(await prompt(server.hosts, home));
  took.start.push(await ready());
}
const [node, get, bare] = [median(took.node), median(took.get), median(took.bare)];
const [up, start] = [median(took.prompt), median(took.start)];
const bound = Math.min(150, 3 * node + 20);
rmSync(home, { recursive: true, force: true });
console.log(
  `node -e 0: ${node.toFixed(0)} ms, zoosh -s HOST get /x: ${get.toFixed(0)} ms (at most ${bound.toFixed(0)}), ${bare.toFixed(0)} without kept code, the prompt: ${up.toFixed(0)} ms (at most 150), start to ready: ${start.toFixed(0)} ms`,
);
process.exitCode = get > bound || up > 150 || start > 300 ? 1 : 0;
