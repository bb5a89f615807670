/**
 * Loaded into a server with NODE_OPTIONS=--import: looks every millisecond how late its loop is, and how much of that the thread
 * spent waiting for a processor that others had. SIGUSR2 begins anew. At the end it says to stderr what it saw. Linux.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const EVERY_MS = 1;
const SLOW_MS = 20;
const MOST_TOLD = 20;
const stat = openSync(`/proc/${process.pid}/task/${process.pid}/schedstat`, 'r');
const text = Buffer.alloc(128);
/** For how long this thread has been kept waiting so far, ms. */
function waited(): number {
  const length = readSync(stat, text, 0, text.length, 0);
  return Number(text.latin1Slice(0, length).split(' ')[1]) / 1e6;
}

let last = performance.now();
let lastWaited = waited();
let began = last;
let longest = 0;
let own = 0;
let slow: string[] = [];
const timer = setInterval(() => {
  const now = performance.now();
  const waitedNow = waited();
  const block = now - last - EVERY_MS;
  const ours = block - (waitedNow - lastWaited);
  longest = Math.max(longest, block);
  own = Math.max(own, ours);
  if (ours > SLOW_MS) slow.push(`${Math.round(ours)}@${Math.round(now - began)}`);
  last = now;
  lastWaited = waitedNow;
}, EVERY_MS);
timer.unref();
process.on('SIGUSR2', () => {
  began = performance.now();
  last = began;
  lastWaited = waited();
  longest = 0;
  own = 0;
  slow = [];
});
process.on('exit', () => {
  const said = `loop probe: longest block ${longest.toFixed(1)} ms, ${own.toFixed(1)} ms without the wait for a processor; above ${SLOW_MS} ms: ${slow.slice(0, MOST_TOLD).join(' ') || 'none'}\n`;
  writeSync(2, said);
  closeSync(stat);
});
