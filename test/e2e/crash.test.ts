import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ServerProcess } from './process.ts';

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
  await assert.rejects(
    notFolder.start(),
    /ended with 40: error: the data directory \S+ cannot be used: it is not a folder/,
  );
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
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(all);
  await server.start();
  await using late = await connect(server.hosts);
  const there = (await late.getChildren('/')).children.filter((name) => name.startsWith('t'));
  const unanswered = there.filter((name) => !answered.has(`/${name}`));
  console.log(`SIGTERM: ${answered.size} answered, ${there.length} there, ${unanswered.length} done and not answered`);
  assert.equal(unanswered.length, 0);
  assert.equal(there.length, answered.size);
});

test('a disk that takes no more: the server ends with 40 and says why; nothing acknowledged is lost', async () => {
  await using server = new ServerProcess(['preAllocSize=64']);
  server.fileLimit = 256 * 1024;
  await server.start();
  const client = await connect(server.hosts);
  const answered: string[] = [];
  const write = async (path: string): Promise<void> => {
    await client.create(path, Buffer.alloc(500, 65), { signal: AbortSignal.timeout(PATIENCE_MS) });
    answered.push(path);
  };
  let full = false;
  for (let i = 0; i < 200 && !full; i++) {
    const ten = await Promise.allSettled(Array.from({ length: 10 }, (_, k) => write(`/f${i}-${k}`)));
    full = ten.some(({ status }) => status === 'rejected');
  }
  assert.ok(full, 'everything was written');
  assert.equal(await server.ended, 40, server.stderr);
  assert.match(
    server.stderr,
    /the transaction log cannot be written: write .*: EFBIG\. The server stops; start it again/,
  );
  assert.ok(answered.length > 100 && answered.length < 1000, `${answered.length}`);
  await client.close();
  server.fileLimit = undefined;
  await server.start();
  await using late = await connect(server.hosts);
  const there = new Set((await late.getChildren('/')).children.map((name) => `/${name}`));
  assert.deepEqual(
    answered.filter((path) => !there.has(path)),
    [],
  );
});
