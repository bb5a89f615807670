/**
 * How long the server's loop stands still while a backup of a large tree is taken under load. By hand:
 * `node dist/test/bench/backup.js [NODES] [RATE]`. 64 connections set random nodes meanwhile, 16 at a time each; seen from outside by a ping every 5 ms. Exit 1 when a
 * block reached 50 ms; 3 when it did on a machine so busy that the pinger, which does nothing else, was itself kept from running for 20 ms.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zoosh } from '../e2e/cli.ts';
import { ServerProcess } from '../e2e/process.ts';
import { load, makeParent } from './load.ts';
import { Pinger } from './pinger.ts';

const BOUND_MS = 50;
const BUSY_MS = 20;
const nodes = Number(process.argv[2] ?? 1_000_000);
const rate = process.argv[3];
/** As many sets as take longer than a backup. */
const SETS = 2_500_000;

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-backup-'));
  try {
    const probe = ['--import', new URL('./loop-probe.js', import.meta.url).href];
    await using server = new ServerProcess(['maxClientCnxns=0', 'snapCount=100000000'], 'warn', probe);
    const control = join(folder, 'ctl');
    server.words = ['--control', control, '--no-faults'];
    await server.start();
    await makeParent(server.port);
    await load('create', server.port, nodes);
    const calm = new Pinger(server.port);
    const before = await load('set', server.port, 300_000, nodes);
    calm.close();
    if (server.pid !== undefined) process.kill(server.pid, 'SIGUSR2'); // what was before does not count
    const pinger = new Pinger(server.port);
    const sets = load('set', server.port, SETS, nodes);
    const file = join(folder, 'backup');
    const began = performance.now();
    const ran = await zoosh(['backup', file, '--control', control, ...(rate === undefined ? [] : ['--rate', rate])]);
    const seconds = (performance.now() - began) / 1000;
    pinger.close();
    if (ran.code !== 0) throw new Error(ran.stderr);
    const { count, seconds: took } = await sets;
    const size = (statSync(file).size / 2 ** 20).toFixed(0);
    console.log(`${nodes} nodes, ${size} MiB in ${seconds.toFixed(1)} s, which is the program's start, too`);
    console.log(
      `sets a second: ${(before.count / before.seconds).toFixed(0)} without, ${(count / took).toFixed(0)} in all`,
    );
    for (const [name, each] of [
      ['without', calm],
      ['during', pinger],
    ] as const)
      console.log(
        `${name}: ${each.count} pings, longest ${each.longest.toFixed(1)} ms (own lateness ${each.ownLate.toFixed(1)} ms); above 20 ms: ${each.slow.map(({ at, ms }) => `${ms}@${at}`).join(' ') || 'none'}`,
      );
    await server.kill('SIGTERM');
    console.log(`in the server, ${/loop probe: .*(?=\s*$)/.exec(server.stderr)?.[0]}`);
    if (pinger.longest >= BOUND_MS) process.exitCode = pinger.ownLate > BUSY_MS ? 3 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
await main();
process.exit();
