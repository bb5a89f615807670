/**
 * `npm run fuzz:clients [-- INPUTS]`: malformed inputs between clients and servers, a million if nothing is said: six in ten at the client
 * port of a real process, the rest to our client, as zoo.cfg and as connect strings. Wants a machine that does nothing else beside: 100 ms are the bound.
 */
import { randomInt } from 'node:crypto';
import { seededRandom } from '../../src/base/random.ts';
import { fuzzDecoder } from './client-decoder.ts';
import { besiegeClients, showSiege } from './client-siege.ts';
import { fuzzConfig } from './config-inputs.ts';
import { fuzzConnectStrings } from './connect-strings.ts';

const BLOCK_MS = 100;
const all = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
const [port, answers, configs, texts] = [0.6, 0.2, 0.1, 0.1].map((part) => Math.round(all * part)) as number[] as [
  number,
  number,
  number,
  number,
];
const within = (what: string, ms: number): void => {
  if (ms <= BLOCK_MS) return;
  console.error(`${what} took ${ms.toFixed(0)} ms; at most ${BLOCK_MS} are allowed`);
  process.exitCode = 1;
};

let told = 0;
const found = await besiegeClients(port, seed, (done) => {
  if (done < told + port / 20) return;
  told = done;
  console.error(`${done} of ${port} at the client port`);
});
console.log(`client port (seed ${seed}): ${showSiege(found)}`);
within('a turn of the server', found.blockMs);

const decoded = await fuzzDecoder(answers, seededRandom(seed));
const outcomes = [...decoded.outcomes].map(([name, count]) => `${name} ${count}`).join('; ');
console.log(`${answers} answers (seed ${seed}): ${outcomes}; longest ${decoded.slowestMs.toFixed(1)} ms`);
within('an answer', decoded.slowestMs);

const { outcomes: remedies, longest } = fuzzConfig(configs, seededRandom(seed));
console.log(`${configs} configurations: ${remedies.size} outcomes, longest ${longest.toFixed(1)} ms`);

const { read, refused, slowestMs } = fuzzConnectStrings(texts, seededRandom(seed));
console.log(`${texts} connect strings: ${read} read, ${refused} refused, longest ${slowestMs.toFixed(1)} ms`);
within('a connect string', slowestMs);
