/** Another client, in a process of its own: `bystander-job.js PORT MS`, forked. A read every 5 ms; sends what it felt. */
import { connect } from 'node:net';
import { hello } from './load.ts';

/** Of one client's reads, ms. */
export interface Bystanding {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

const EVERY_MS = 5;
const [port = 0, ms = 0] = process.argv.slice(2).map(Number);
const read = Buffer.from([0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 1, 0x2f, 0]);

const felt: number[] = [];
// from an address of its own: whoever comes from that of a flood shares its bounds
const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2', noDelay: true });
let sent: number | undefined;
let isReady = false;
socket.write(hello());
socket.on('data', () => {
  if (!isReady) {
    isReady = true;
    const end = performance.now() + ms;
    const timer = setInterval(() => {
      // at least one: this process may have stood still for all of the time
      if (performance.now() >= end && sent === undefined && felt.length > 0) {
        clearInterval(timer);
        felt.sort((a, b) => a - b);
        const at = (part: number): number => felt[Math.min(felt.length - 1, Math.floor(felt.length * part))] as number;
        const told = { count: felt.length, p50: at(0.5), p99: at(0.99), most: felt.at(-1) as number };
        process.send?.(told satisfies Bystanding, () => process.exit(0));
        return;
      }
      if (sent !== undefined) return; // the last is still under way: how long it takes counts all the same
      sent = performance.now();
      socket.write(read);
    }, EVERY_MS);
    return;
  }
  if (sent !== undefined) felt.push(performance.now() - sent);
  sent = undefined;
});
socket.on('error', () => process.exit(1));
socket.on('close', () => process.exit(1));
process.on('disconnect', () => process.exit(0));
