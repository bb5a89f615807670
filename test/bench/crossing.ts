/**
 * How long the server's loop stands still while 64 connections write, snapshots run and one parent's children pass 2^20 and
 * 2^21. By hand: `node dist/test/bench/crossing.js [NODES]`. Seen from outside (a ping every 5 ms) and from inside
 * (ZOOSH_LOOP_DELAY=1). Exit 1 when a block reached 50 ms; 3 when it did on a machine so busy that the pinger, which does nothing
 * else, was itself kept from running for 20 ms: then it says nothing, and must be done again.
 */
import { ServerProcess } from '../e2e/process.ts';
import { load, makeParent } from './load.ts';
import { Pinger } from './pinger.ts';

const BOUND_MS = 50;
const BUSY_MS = 20;
const nodes = Number(process.argv[2] ?? 2_200_000);

async function main(): Promise<void> {
  process.env.ZOOSH_LOOP_DELAY = '1';
  await using server = await new ServerProcess(
    ['maxClientCnxns=0', 'snapCount=300000', '4lw.commands.whitelist=*'],
    'info',
  ).start();
  await makeParent(server.port);
  const pinger = new Pinger(server.port);
  const began = performance.now();
  const figures = await load('create', server.port, nodes);
  const wall = performance.now() - began;
  await server.kill('SIGTERM');
  const inside = /event loop: longest block (\d+(?:\.\d+)?) ms.*/.exec(server.stderr);
  const snapshots = server.stderr.match(/Snapshotting: .*/g) ?? [];
  const longestInside = Number(inside?.[1] ?? Number.NaN);
  console.log(`${figures.count} creates in ${(wall / 1000).toFixed(1)} s, ${figures.refused} refused`);
  for (const line of snapshots) console.log(`  ${line.replace(/^.*in /, 'snapshot in ')}`);
  console.log(
    `outside: ${pinger.count} pings, longest ${pinger.longest.toFixed(1)} ms (own lateness ${pinger.ownLate.toFixed(1)} ms)`,
  );
  console.log(`  above 20 ms: ${pinger.slow.map(({ at, ms }) => `${ms}@${at}`).join(' ') || 'none'}`);
  console.log(`inside: ${inside?.[0] ?? server.stderr}`);
  const sound = snapshots.length > 0 && figures.refused === 0;
  const short = pinger.longest < BOUND_MS && longestInside < BOUND_MS;
  if (sound && short) return;
  process.exitCode = sound && pinger.ownLate > BUSY_MS ? 3 : 1;
  console.log(process.exitCode === 3 ? 'no verdict: the machine was busy' : `a block of ${BOUND_MS} ms or more`);
}
await main();
process.exit();
