/**
 * `npm run fuzz:clients [-- INPUTS]`: malformed inputs between clients and servers, a million if nothing is said: at the client
 * port, at the ports for TLS and at the admin server of real processes; to our client, as zoo.cfg, as files of keys, as logs and
 * snapshots to be imported, as connect strings. 100 ms are the bound of one turn of a loop, of which the time counts that its
 * thread ran.
 */
import { randomInt } from 'node:crypto';
import { seededRandom } from '../../src/base/random.ts';
import { besiegeAdmin, showAdmin } from './admin-siege.ts';
import { fuzzApache } from './apache-inputs.ts';
import { fuzzDecoder } from './client-decoder.ts';
import { besiegeClients, showSiege } from './client-siege.ts';
import { fuzzConfig } from './config-inputs.ts';
import { fuzzConnectStrings } from './connect-strings.ts';
import { fuzzKeyFiles } from './key-inputs.ts';

const BLOCK_MS = 100;
const all = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
/** Of a hundred; the words of four letters are said at the ports. */
const SHARES = { port: 25, tls: 20, admin: 10, answers: 10, configs: 10, keys: 10, imports: 10, texts: 5 } as const;
const share = (name: keyof typeof SHARES): number => Math.ceil((all * SHARES[name]) / 100);
/** What was told to anybody, in the end. */
let told = 0;
const within = (what: string, ms: number): void => {
  if (ms <= BLOCK_MS) return;
  console.error(`${what} took ${ms.toFixed(0)} ms; at most ${BLOCK_MS} are allowed`);
  process.exitCode = 1;
};

/** Told to people now and then. */
const teller = (of: number, where: string): ((done: number) => void) => {
  let said = 0;
  return (done) => {
    if (done < said + of / 20) return;
    said = done;
    console.error(`${done} of ${of} at ${where}`);
  };
};
for (const [where, tls, count] of [
  ['the client port', false, share('port')],
  ['the ports for TLS', true, share('tls')],
] as const) {
  const found = await besiegeClients({ inputs: count, seed, tls, progress: teller(count, where) });
  console.log(`${where} (seed ${seed}): ${showSiege(found)}`);
  told += found.inputs;
  within('a turn of the server', found.ranMs);
}
const admin = await besiegeAdmin(share('admin'), seed, teller(share('admin'), 'the admin server'));
console.log(`the admin server (seed ${seed}): ${showAdmin(admin)}`);
told += admin.inputs;
within('a turn of the server', admin.ranMs);

const answers = share('answers');
const decoded = await fuzzDecoder(answers, seededRandom(seed));
const outcomes = [...decoded.outcomes].map(([name, count]) => `${name} ${count}`).join('; ');
console.log(`${answers} answers (seed ${seed}): ${outcomes}; longest ${decoded.slowestMs.toFixed(1)} ms`);
told += answers;
within('an answer', decoded.slowestMs);

const keys = share('keys');
const files = fuzzKeyFiles(keys, seededRandom(seed));
console.log(`${keys} files of keys: ${files.outcomes.size} outcomes, longest ${files.slowestMs.toFixed(1)} ms`);
told += keys;
within('a file of keys', files.slowestMs);

const configs = share('configs');
const { outcomes: remedies, longest } = fuzzConfig(configs, seededRandom(seed));
console.log(`${configs} configurations: ${remedies.size} outcomes, longest ${longest.toFixed(1)} ms`);
told += configs;
within('a configuration', longest);

const imports = share('imports');
const { outcomes: ends, slowestMs: longestImport } = await fuzzApache(imports, seed, teller(imports, 'imports'));
console.log(
  `${imports} data directories to be imported (seed ${seed}): ${ends.get('read') ?? 0} read, ${ends.size} outcomes, longest ${longestImport.toFixed(1)} ms`,
);
told += imports;
within('a data directory', longestImport);

const texts = share('texts');
const { read, refused, slowestMs } = fuzzConnectStrings(texts, seededRandom(seed));
console.log(`${texts} connect strings: ${read} read, ${refused} refused, longest ${slowestMs.toFixed(1)} ms`);
told += texts;
within('a connect string', slowestMs);

console.log(`${told} inputs in all`);
if (!(told >= all)) {
  console.error(`less than the ${all} that were asked for`);
  process.exitCode = 1;
}
