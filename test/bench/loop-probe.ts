/**
 * Loaded into a server with NODE_OPTIONS=--import: looks every millisecond how late its loop is, and for how much of that its
 * thread ran; the rest of the time others had the processor. At SIGUSR2, and at the end, it says to stderr what it saw, and
 * begins anew. Linux.
 */
import { openSync, readSync, writeSync } from 'node:fs';

const EVERY_MS = 1;
const SLOW_MS = 20;
const MOST_TOLD = 20;
const stat = openSync(`/proc/${process.pid}/task/${process.pid}/schedstat`, 'r');
const text = Buffer.alloc(128);
/** For how long this thread has run so far, ms. */
function ran(): number {
  const length = readSync(stat, text, 0, text.length, 0);
  return Number(text.latin1Slice(0, length).split(' ')[0]) / 1e6;
}

let last = performance.now();
let lastRan = ran();
let began = last;
let longest = 0;
let own = 0;
let slow: string[] = [];
const timer = setInterval(() => {
  const now = performance.now();
  const ranNow = ran();
  const block = now - last - EVERY_MS;
  const ours = Math.min(block, ranNow - lastRan);
  longest = Math.max(longest, block);
  own = Math.max(own, ours);
  if (ours > SLOW_MS) slow.push(`${Math.round(ours)}@${Math.round(now - began)}`);
  last = now;
  lastRan = ranNow;
}, EVERY_MS);
timer.unref();

function tell(): void {
  const times = slow.slice(0, MOST_TOLD).join(' ') || 'none';
  writeSync(
    2,
    `loop probe: longest block ${longest.toFixed(1)} ms, ${own.toFixed(1)} ms running; above ${SLOW_MS} ms: ${times}\n`,
  );
  began = performance.now();
  last = began;
  lastRan = ran();
  longest = 0;
  own = 0;
  slow = [];
}
process.on('SIGUSR2', tell);
process.on('exit', tell);
