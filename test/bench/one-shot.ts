/**
 * `node dist/test/bench/one-shot.js`: how long one command takes from the start of its process to its end, beside a Node
 * that does nothing, and how long a server takes from its start to `ready`. In turn, medians. Exits 1 when `zoosh ls /`
 * takes more than 150 ms or three times an empty Node and 20 ms, or a start 300 ms.
 */
import { spawn } from 'node:child_process';
import { BIN } from '../e2e/cli.ts';
import { ServerProcess } from '../e2e/process.ts';

const ROUNDS = 21;

async function run(args: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await new Promise<void>((resolve, reject) =>
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${args.join(' ')} ended with ${code}`)))),
  );
  return performance.now() - began;
}

async function ready(): Promise<number> {
  const began = performance.now();
  await using server = new ServerProcess();
  await server.start();
  return performance.now() - began;
}

await using server = await new ServerProcess().start();
const took = { node: [] as number[], ls: [] as number[], start: [] as number[] };
for (let round = 0; round < ROUNDS; round++) {
  took.node.push(await run(['-e', '0']));
  took.ls.push(await run([BIN, server.hosts, 'ls', '/']));
  took.start.push(await ready());
}
const median = (all: number[]): number => all.sort((a, b) => a - b)[all.length >> 1] as number;
const [node, ls, start] = [median(took.node), median(took.ls), median(took.start)];
const bound = Math.min(150, 3 * node + 20);
console.log(
  `node -e 0: ${node.toFixed(0)} ms, zoosh ls /: ${ls.toFixed(0)} ms (at most ${bound.toFixed(0)}), start to ready: ${start.toFixed(0)} ms`,
);
process.exitCode = ls > bound || start > 300 ? 1 : 0;
