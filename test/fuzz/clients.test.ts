/** Malformed things between clients and servers, both ways: no crash, no blocked loop, nothing that a bystander notices. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { amount } from '../amount.ts';
import { fuzzDecoder } from './client-decoder.ts';
import { besiegeClients, showSiege } from './client-siege.ts';
import { fuzzConnectStrings } from './connect-strings.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
/** What a machine that does something else beside may take from a loop, ms; the command allows less. */
const BLOCK_MS = 1000;
const PORT = amount(20_000, 3_000);
const ANSWERS = amount(100_000, 10_000);
const TEXTS = amount(100_000, 20_000);

test(`${PORT} malformed inputs at the client port: a client beside notices nothing`, async () => {
  const found = await besiegeClients(PORT, seed);
  console.log(`client port (seed ${seed}): ${showSiege(found)}`);
  assert.ok(found.inputs >= PORT && found.writes > 5);
  assert.ok(found.blockMs < BLOCK_MS, `${found.blockMs} ms`);
  assert.ok(found.grownMiB < 128, `${found.grownMiB} MiB`);
  assert.ok(found.kinds.size >= 15, `${found.kinds.size} kinds`);
  for (const name of Object.keys(OPERATIONS)) assert.ok((found.operations.get(name) ?? 0) > 0, name);
  for (const each of [
    'before a session: answered',
    'before a session: hung up',
    'in a session: answered',
    'in a session: hung up',
  ])
    assert.ok((found.outcomes.get(each) ?? 0) > PORT / 500, each);
});

test(`${ANSWERS} malformed answers to our client: it says what is wrong, or goes elsewhere`, async () => {
  const { outcomes, slowestMs, sessions } = await fuzzDecoder(ANSWERS, seededRandom(seed));
  const text = [...outcomes].map(([name, count]) => `${name} ${count}`).join('; ');
  console.log(`answers (seed ${seed}): ${text}; ${sessions} sessions, longest ${slowestMs.toFixed(1)} ms`);
  assert.ok(slowestMs < BLOCK_MS);
  for (const each of ['settle', 'fail', 'event', 'hangUp', 'nothing', 'connected'])
    assert.ok((outcomes.get(each) ?? 0) > ANSWERS / 1000, `${each}: ${text}`);
});

test(`${TEXTS} texts that are to be connect strings: read, or refused by a sentence`, () => {
  const { read, refused, slowestMs } = fuzzConnectStrings(TEXTS, seededRandom(seed));
  console.log(`connect strings (seed ${seed}): ${read} read, ${refused} refused, longest ${slowestMs.toFixed(1)} ms`);
  assert.ok(read > TEXTS / 100 && refused > TEXTS / 10 && slowestMs < BLOCK_MS);
});
