/** Malformed things between clients and servers, both ways: no crash, no blocked loop, nothing that a bystander notices. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { amount } from '../amount.ts';
import { lateIf, timely } from '../patience.ts';
import { fuzzDecoder } from './client-decoder.ts';
import { besiegeClients, showSiege, WANTED, WANTED_BY_TLS } from './client-siege.ts';
import { fuzzConnectStrings } from './connect-strings.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
/** Of its own time, ms, in one turn of the loop; on a machine that is busy the same work takes more of it. */
const BLOCK_MS = amount(100, 250);
const GROWTH_MIB = 128;
const PORT = amount(20_000, 3_000);
const BY_TLS = amount(20_000, 1_000);
const ANSWERS = amount(100_000, 10_000);
const TEXTS = amount(100_000, 20_000);

for (const [where, tls, count, wanted] of [
  ['the client port', false, PORT, WANTED],
  ['the ports for TLS', true, BY_TLS, WANTED_BY_TLS],
] as const)
  test(`${count} malformed inputs at ${where}: a client beside notices nothing`, async () => {
    // the same again where the server was late or large: of what it was told it is so every time
    await timely(async () => {
      const found = await besiegeClients({ inputs: count, seed, tls });
      console.log(`${where} (seed ${seed}): ${showSiege(found)}`);
      assert.ok(found.inputs >= count && found.writes > 10 && found.kinds.size >= 15);
      for (const name of Object.keys(OPERATIONS)) assert.ok((found.operations.get(name) ?? 0) > 0, name);
      for (const each of wanted) assert.ok(found.outcomes.has(each), each);
      const { ranMs, grownMiB } = found;
      return lateIf(
        ranMs >= BLOCK_MS || grownMiB >= GROWTH_MIB,
        `it ran for ${ranMs} ms without a break, grown by ${grownMiB} MiB`,
      );
    });
  });

test(`${ANSWERS} malformed answers to our client: it says what is wrong, or goes elsewhere`, async () => {
  await timely(async () => {
    const { outcomes, slowestMs, sessions } = await fuzzDecoder(ANSWERS, seededRandom(seed));
    const text = [...outcomes].map(([name, count]) => `${name} ${count}`).join('; ');
    console.log(`answers (seed ${seed}): ${text}; ${sessions} sessions, longest ${slowestMs.toFixed(1)} ms`);
    for (const each of ['settle', 'fail', 'event', 'hangUp', 'nothing', 'connected'])
      assert.ok((outcomes.get(each) ?? 0) > ANSWERS / 1000, `${each}: ${text}`);
    return lateIf(slowestMs >= BLOCK_MS, `an answer took ${slowestMs} ms`);
  });
});

test(`${TEXTS} texts that are to be connect strings: read, or refused by a sentence`, () =>
  timely(() => {
    const { read, refused, slowestMs } = fuzzConnectStrings(TEXTS, seededRandom(seed));
    console.log(`connect strings (seed ${seed}): ${read} read, ${refused} refused, longest ${slowestMs.toFixed(1)} ms`);
    assert.ok(read > TEXTS / 100 && refused > TEXTS / 10);
    return lateIf(slowestMs >= BLOCK_MS, `a text took ${slowestMs} ms`);
  }));
