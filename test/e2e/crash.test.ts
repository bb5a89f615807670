import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '../../src/index.ts';
import { ServerProcess } from './process.ts';

const ROUNDS = 15;

/** SIGKILL at a random moment under several requests in flight, also during snapshots and rolls (snapCount is small). */
test(`${ROUNDS} kills of the built binary under load lose no acknowledged write and no half of a multi`, async () => {
  await using server = new ServerProcess(['snapCount=200', 'autopurge.purgeInterval=0']);
  const acknowledged = new Map<string, string>();
  let lastZxid = 0n;
  let writes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await server.start();
    const client = await connect(server.hosts, { timeoutMs: 20_000 });
    for (const [path, data] of acknowledged) {
      if (round % 5 !== 4 && !path.startsWith(`/r${round - 1}-`)) continue; // everything now and then, the newest always
      assert.equal((await client.get(path)).data?.toString(), data, path);
    }
    const pairs = new Set((await client.getChildren('/')).children);
    for (const name of pairs)
      if (name.endsWith('-a')) assert.ok(pairs.has(name.replace(/-a$/, '-b')), `half of a multi: ${name}`);
    const stat = await client.exists('/');
    assert.ok((stat?.pzxid ?? 0n) >= lastZxid, 'the zxid went back');
    let stop = false;
    const writer = async (lane: number): Promise<void> => {
      for (let i = 0; !stop; i++) {
        const path = `/r${round}-${lane}-${i}`;
        try {
          if (i % 7 === 3) await client.transaction().create(`${path}-a`, 'x').create(`${path}-b`, 'x').commit();
          else {
            const made = await client.create(path, `v${i}`);
            acknowledged.set(path, `v${i}`);
            if (made.stat !== undefined && made.stat.czxid > lastZxid) lastZxid = made.stat.czxid;
            await client.set(path, `w${i}`);
            acknowledged.set(path, `w${i}`);
          }
          writes++;
        } catch {
          const known = acknowledged.get(path);
          if (known === `v${i}`) acknowledged.delete(path); // the set may or may not have happened
          return;
        }
      }
    };
    const lanes = Array.from({ length: 12 }, (_, lane) => writer(lane));
    await new Promise((resolve) => setTimeout(resolve, 40 + Math.random() * 160));
    assert.equal(await server.kill('SIGKILL'), 128, `it was alive when it was killed: ${server.stderr}`);
    stop = true;
    const closing = client.close().catch(() => {});
    await Promise.all(lanes);
    await closing;
  }
  console.log(`kills: ${ROUNDS}, acknowledged operations: ${writes}, lost: 0`);
  assert.ok(writes > ROUNDS * 50);
});

test('bad input at every border: a sentence and the right exit code', async () => {
  await using server = await new ServerProcess().start();
  const second = new ServerProcess();
  second.port = server.port;
  await assert.rejects(second.start(), /ended with 41: error: .*in use/s);
  await second[Symbol.asyncDispose]();
  const wrong = new ServerProcess(['tickTime=0']);
  await assert.rejects(wrong.start(), /ended with 43: error: .*tickTime/s);
  await wrong[Symbol.asyncDispose]();
  const notFolder = new ServerProcess([`dataDir=${fileURLToPath(import.meta.url)}`]);
  await assert.rejects(notFolder.start(), /ended with 40: error: the data directory cannot be used/);
  await notFolder[Symbol.asyncDispose]();
  const locked = new ServerProcess([`dataDir=${server.folder}/data`]);
  await assert.rejects(locked.start(), /ended with 42: error: another zoosh server uses/);
  await locked[Symbol.asyncDispose]();
  assert.equal(await server.kill('SIGTERM'), 0);
});

test('a write sent behind a sync is answered behind it, while others write', async () => {
  await using server = await new ServerProcess().start();
  const clients = await Promise.all([1, 2, 3].map(() => connect(server.hosts)));
  await Promise.all(
    clients.map(async (client, lane) => {
      // the client ends a connection whose replies come out of order, and these would reject
      for (let i = 0; i < 50; i++)
        await Promise.all([client.create(`/l${lane}-${i}-a`), client.sync('/'), client.create(`/l${lane}-${i}-b`)]);
    }),
  );
  for (const client of clients) await client.close();
});

test('SIGTERM leaves no write that was done and not answered', async () => {
  await using server = await new ServerProcess(['globalOutstandingLimit=100000']).start();
  const clients = await Promise.all(Array.from({ length: 8 }, () => connect(server.hosts)));
  const answered = new Set<string>();
  const all: Promise<unknown>[] = [];
  for (let i = 0; i < 2000; i++)
    for (const [lane, client] of clients.entries()) {
      const path = `/t${lane}-${i}`;
      all.push(
        client.create(path).then(
          () => answered.add(path),
          () => {},
        ),
      );
    }
  await Promise.race(all);
  assert.equal(await server.kill('SIGTERM'), 0);
  for (const client of clients) await client.close();
  await Promise.all(all);
  await server.start();
  await using late = await connect(server.hosts);
  const there = (await late.getChildren('/')).children.filter((name) => name.startsWith('t'));
  const unanswered = there.filter((name) => !answered.has(`/${name}`));
  console.log(`SIGTERM: ${answered.size} answered, ${there.length} there, ${unanswered.length} done and not answered`);
  assert.equal(unanswered.length, 0);
  assert.equal(there.length, answered.size);
});
