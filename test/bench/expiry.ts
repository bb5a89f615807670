/**
 * How long the server's loop stands still while many sessions end at once, since their clients went together, under a load of sets. By
 * hand: `node dist/test/bench/expiry.js [SESSIONS]`; each has an ephemeral. Seen by a ping every 5 ms, and from inside (loop-probe.js). Exit
 * 1 when a ping took 100 ms; 3 when it did on a machine so busy that the pinger itself was kept from running for 20 ms.
 */
import { connect, type Socket } from 'node:net';
import { ServerProcess } from '../e2e/process.ts';
import { hello, load, makeParent, replies, request } from './load.ts';
import { Pinger } from './pinger.ts';

const BOUND_MS = 100;
const BUSY_MS = 20;
const NODES = 50_000;
/** As many as take longer than the sessions' time. */
const SETS = 2_000_000;
const TIMEOUT_MS = 15_000;
const AT_ONCE = 200;
/** Of the ephemerals' names. */
const FIRST_KEY = 20_000_000;
const count = Number(process.argv[2] ?? 5000);

function session(port: number, number: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  return new Promise((resolve, reject) => {
    replies(
      socket,
      () => {
        const create = request('create', FIRST_KEY + number, 1);
        create.writeInt32BE(1, create.length - 4); // an ephemeral
        socket.write(create);
      },
      (err) => (err === 0 ? resolve(socket) : reject(new Error(`an ephemeral was refused with ${err}`))),
      () => {},
    );
    socket.on('error', reject);
    const first = hello();
    first.writeInt32BE(TIMEOUT_MS, 16);
    socket.write(first);
  });
}

async function main(): Promise<void> {
  const probe = ['--import', new URL('./loop-probe.js', import.meta.url).href];
  await using server = await new ServerProcess(
    ['maxClientCnxns=0', 'snapCount=100000000', '4lw.commands.whitelist=*'],
    'info',
    probe,
  ).start();
  await makeParent(server.port);
  await load('create', server.port, NODES);
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const more = Math.min(AT_ONCE, count - sockets.length);
    sockets.push(
      ...(await Promise.all(Array.from({ length: more }, (_, i) => session(server.port, sockets.length + i)))),
    );
  }
  const sets = load('set', server.port, SETS, NODES);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 3000)); // that their connections end is not what is looked at
  if (server.pid !== undefined) process.kill(server.pid, 'SIGUSR2');
  const pinger = new Pinger(server.port);
  await sets;
  pinger.close();
  await server.kill('SIGTERM');
  const ended = server.stderr.match(/Expiring session/g)?.length ?? 0;
  console.log(`${ended} sessions ended; ${pinger}; above 20 ms: ${pinger.slow.length}`);
  console.log(`in the server, ${server.stderr.match(/loop probe: .*/g)?.at(-1)}`);
  if (ended < count) throw new Error(`only ${ended} of ${count} sessions ended meanwhile`);
  if (pinger.longest >= BOUND_MS) process.exitCode = pinger.ownLate > BUSY_MS ? 3 : 1;
}
await main();
process.exit();
