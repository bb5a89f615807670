/** Files of keys that are damaged, made up, or dear to open: to those who read them, and to a server that reads them while it serves. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { connect } from '../../src/index.ts';
import { amount, LONG } from '../amount.ts';
import { until } from '../e2e/members.ts';
import { goOnUntil, lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { withTurns } from '../tls/turns.ts';
import { fuzzKeyFiles } from './key-inputs.ts';
import { Bystander } from './peer-siege.ts';
import { beginLooking, blocksOf, probedServer, showBlocks } from './probed.ts';

const FILES = amount(100_000, 2_000);
const SLOW_MS = 1000;
/** Of its own time, ms, in one turn of the loop; on a machine that is busy the same work takes more of it. */
const BLOCK_MS = amount(100, 250);
const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
const storeOf = (name: string): Buffer => readFileSync(new URL(`../../../test/tls/stores/${name}`, import.meta.url));

/** What must become of some; where chance leaves one out, there are more files. */
const WANTED = [
  ...['PEM: read, certificates', 'JKS: read, with a key', 'JKS: is cut off', 'PKCS12: is damaged'],
  ...['PKCS12 without a check: read, with a key', 'PKCS12 without a check: cannot be opened'],
];
const MOST_TIMES = 5;

test(`${FILES} malformed files of keys: read, or refused by a sentence, soon`, () =>
  timely(async () => {
    const random = seededRandom(seed);
    let [text, slowest] = ['', 0];
    const lacking = (): string[] => WANTED.filter((each) => !text.includes(each));
    const more = (): void => {
      const { outcomes, slowestMs } = fuzzKeyFiles(FILES, random);
      text += `${[...outcomes].map(([name, count]) => `${name} ${count}`).join('; ')}; `;
      slowest = Math.max(slowest, slowestMs);
    };
    await goOnUntil(() => lacking().length === 0, MOST_TIMES, more);
    console.log(`files of keys (seed ${seed}): longest ${slowest.toFixed(1)} ms; ${text}`);
    assert.deepEqual(lacking(), [], text);
    return lateIf(slowest >= SLOW_MS, `${slowest} ms: ${text}`);
  }));

/** Files that are dear to read, and what a server says of each. */
const DEAR: readonly (readonly [string, () => Buffer | string, RegExp])[] = [
  ['turns that are let pass', () => withTurns(storeOf('ec.p12'), 900_000), /that is not its password/],
  ['a megabyte of beginnings', () => '-----BEGIN A-----'.repeat(60_000), /holds 0 private keys/],
  ['turns without end', () => withTurns(storeOf('ec.p12'), 2 ** 40), /takes too long to open on purpose/],
  ['a megabyte of zeros', () => Buffer.alloc(1 << 20), /neither PEM nor a PKCS12/],
  ['a megabyte of nothing nested', () => Buffer.from('3080'.repeat(1 << 18), 'hex'), /neither PEM nor a PKCS12/],
];

test('a server that reads dear files of keys goes on serving meanwhile', async () => {
  await timely(async () => {
    const authority = makeAuthority('all');
    const own = makeCertificate(authority, { hosts: ['127.0.0.1'] });
    await using server = probedServer([]);
    const file = join(server.folder, 'own.pem');
    const trust = join(server.folder, 'ca.pem');
    const replace = (where: string, what: Buffer | string): void => {
      writeFileSync(`${where}.new`, what, { mode: 0o600 });
      renameSync(`${where}.new`, where);
    };
    replace(file, own.store);
    replace(trust, authority.pem);
    server.words = [
      ...['secureClientPort=0', 'secureClientPortAddress=127.0.0.1', 'ssl.clientAuth=want'],
      ...[`ssl.keyStore.location=${file}`, 'ssl.keyStore.password=apassword', `ssl.trustStore.location=${trust}`],
    ].flatMap((setting) => ['--set', setting]);
    await server.start();
    const bystander = new Bystander(await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS }), '/beside');
    await beginLooking(server);
    let heard = 0;
    /** Waits until the server says so, behind what it said before. */
    const hear = async (sentence: RegExp): Promise<void> => {
      await until(
        () => sentence.test(server.stderr.slice(heard)),
        PATIENCE_MS,
        () => server.stderr,
      );
      heard = server.stderr.length;
    };
    // each takes seconds: a file is read when it has stood still
    for (const [what, bytes, sentence] of LONG ? DEAR : DEAR.slice(0, 2)) {
      replace(file, bytes());
      await hear(new RegExp(`stay as they were: ssl.keyStore.location=.*${sentence.source}`)).catch((error: Error) => {
        throw new Error(`${what}: ${error.message}`);
      });
    }
    replace(file, own.store);
    await hear(/certificates for clients were read again/);
    replace(trust, Array.from({ length: 60 }, (_, at) => makeAuthority(`authority ${at}`).pem).join(''));
    await hear(/certificates for clients were read again/);
    await bystander.stop();
    assert.deepEqual(bystander.failures, []);
    assert.ok(bystander.writes > 10);
    assert.equal(await server.kill('SIGTERM'), 0, server.stderr);
    const blocks = blocksOf(server);
    console.log(`dear files of keys: ${showBlocks(blocks)}; the slowest write ${bystander.slowestMs.toFixed(0)} ms`);
    return lateIf(blocks.ranMs >= BLOCK_MS, showBlocks(blocks));
  });
});
