import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runAtomic } from '../../src/cli/script.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { type Client, connect } from '../../src/index.ts';
import { type Rig, rig } from './rig.ts';

let server: EmbeddedServer;
let client: Client;
before(async () => {
  server = await startEmbedded({ logLevel: 'error' });
  client = await connect(server.connectString);
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
});

const atomic = ({ shell }: Rig, text: string): Promise<number> => runAtomic({ shell } as never, [text], undefined);
const told = (at: Rig): string => at.told.map(({ failure }) => failure.message).join('\n');
const texts = (at: Rig): string[] => at.shown.flatMap((output) => (output.type === 'value' ? [output.text] : []));

test('the number of a sequential node is not known before the commit: ${_} is an error, never nothing', async () => {
  await client.create('/q');
  const why = /^\$\{_\} is not defined: .* the server gives the number when the transaction is committed$/;
  for (const script of ['create -s /q/a-\ncreate ${_}/k', 'create -s /q/a-\nput "${_}" x']) {
    const one = rig(client);
    assert.equal(await atomic(one, script), 2);
    assert.match(told(one), why);
  }
  const block = rig(client);
  assert.equal(await block.shell.run('create /q/early; txn { create -s /q/a-; create ${_}/k }'), 2);
  assert.match(told(block), why, 'nor is it the result of a command before');
  const open = rig(client);
  assert.equal(await open.shell.run('txn; create -s /q/a-; create ${_}/k'), 2);
  assert.match(told(open), why);
  const dry = rig(client, {}, new Map(), { dryRun: true });
  assert.equal(await dry.shell.run('create -s /q/a-; create ${_}/k'), 2);
  assert.match(told(dry), /^\$\{_\} is not defined: .* a dry run makes none$/);
  assert.deepEqual((await client.getChildren('/q')).children, ['early']);
  assert.equal(await client.exists('/k'), undefined);
});

test('a path that is known before the commit is the result there, too', async () => {
  const at = rig(client);
  assert.equal(await atomic(at, 'create /t one\ncreate ${_}/k two\nset ${_} three'), 0);
  assert.equal((await client.get('/t/k')).data?.toString(), 'three');
  const dry = rig(client, {}, new Map(), { dryRun: true });
  assert.equal(await dry.shell.run('create /t/dry; create ${_}/k; echo ${_}'), 0);
  assert.deepEqual(texts(dry), ['/t/dry/k']);
});

test('the result is that of the last command that had an answer; of one that failed there is none', async () => {
  await client.create('/r', 'data');
  await client.create('/r/a');
  await client.create('/r/b');
  const at = rig(client);
  const last = async (line: string): Promise<string> => {
    at.shown.length = 0;
    assert.equal(await at.shell.run(`${line}\necho "\${_}"`), 0, line);
    return texts(at).at(-1) ?? '';
  };
  assert.equal(await last('get /r'), 'data');
  assert.equal(await last('get /r; cd /r; cd /'), 'data', 'cd says nothing');
  assert.equal(await last('find /r'), '/r');
  assert.equal(await last('ls -R /r'), '/r');
  assert.equal(await last('ls /r'), 'a');
  assert.equal(await last('tree /r'), '/r');
  assert.equal(await last('put /r/c x'), '/r/c');
  assert.equal(await last('get /r /r/a; repeat 2 get /r'), 'data');
  assert.equal(await last('get /r; nosuch || pwd'), '/');
  const failed = rig(client);
  assert.equal(await failed.shell.run('get /r; get /none || echo ${_}'), 2);
  assert.equal(failed.told.at(-1)?.failure.message, '${_} is not defined: an earlier command failed');
  const later = rig(client, {}, new Map(), { keepGoing: true });
  assert.equal(await later.shell.run('get /none; cd /r; echo ${_}'), 2);
  assert.equal(later.told.at(-1)?.failure.message, '${_} is not defined: an earlier command failed');
  const none = rig(client);
  assert.equal(await none.shell.run('echo ${_}'), 2);
  assert.equal(none.told.at(-1)?.failure.message, '${_} is not defined: no command has had a result yet');
});
