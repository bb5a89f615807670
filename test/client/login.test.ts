/** Logins by SASL as the session machine makes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { RequestError } from '../../src/client/api.ts';
import { connect } from '../../src/client/connect.ts';
import { challenge, verify } from '../../src/sasl/digest-md5.ts';
import { type Frame, Rig } from './rig.ts';

const BOB = { scheme: 'sasl', auth: 'bob:pw:1' };
const get = (path: string) => ({ path, watch: false });
const rig = (more: ConstructorParameters<typeof Rig>[0] = {}): Rig =>
  new Rig({ auth: [BOB], random: seededRandom(3), ...more });

const tokenOf = (frame: Frame | undefined): Buffer => (frame ?? assert.fail('nothing was sent')).body.token as Buffer;

/** The server's part of a login, up to its proof. */
function login(client: Rig, nonce = 'n1', password = 'pw:1'): void {
  const [first] = client.sent.splice(0);
  assert.deepEqual([first?.op, tokenOf(first).length], ['sasl', 0]);
  client.reply('sasl', first?.xid as number, 0, { token: challenge(nonce) });
  const [second] = client.sent.splice(0);
  const proven = verify(tokenOf(second), nonce, (user) => (user === 'bob' ? password : undefined));
  if (proven === undefined) client.reply('sasl', second?.xid as number, 0, undefined, -115);
  else client.reply('sasl', second?.xid as number, 0, { token: proven.reply });
}

test('a login comes first, then credentials, then watches, then what waited', () => {
  const client = rig({ auth: [{ scheme: 'digest', auth: 'a:b' }, BOB] });
  client.ask('getData', get('/early'));
  client.up();
  assert.deepEqual(
    client.sent.map(({ op }) => op),
    ['sasl'],
  );
  client.ask('delete', { path: '/b', version: -1 });
  assert.deepEqual(client.sent.length, 1);
  login(client);
  assert.deepEqual(client.frames(), ['auth', 'getData 3', 'delete 4']);
  assert.deepEqual(client.log(), ['auth sasl ok']);
  client.reply('auth', -4, 0).reply('getData', 3, 1, undefined, -101).reply('delete', 4, 2, undefined, -101);
  client.watch('data', '/w', 'one', 3);
  client.log();
  client.frames();
  client.drop().again();
  client.ask('getData', get('/c'));
  login(client, 'n2');
  assert.deepEqual(client.frames(), ['auth', 'setWatches', 'getData 8']);
});

test('each login has a number of its own, and the password is never sent', () => {
  const seen = new Set<string>();
  const client = rig().up();
  for (let i = 0; i < 3; i++) {
    const [first] = client.sent.splice(0);
    client.reply('sasl', first?.xid as number, 0, { token: challenge('n') });
    const text = tokenOf(client.sent[0]).toString();
    assert.doesNotMatch(text, /pw:1/);
    seen.add(/cnonce="([^"]{32})"/.exec(text)?.[1] ?? assert.fail(text));
    client.drop().again();
    client.sent.splice(0, client.sent.length - 1);
  }
  assert.equal(seen.size, 3);
});

test('a login that fails ends the session with a sentence that says why', () => {
  const cases: [(client: Rig) => void, RegExp][] = [
    [(client) => login(client, 'n1', 'other'), /refused the sasl credential/],
    [(client) => client.reply('sasl', 1, 0, { token: null }), /no logins by SASL/],
    [(client) => client.reply('sasl', 1, 0, { token: Buffer.from('GSSAPI') }), /another login.*DIGEST-MD5/],
    [(client) => client.reply('sasl', 1, 0, undefined, -124), /refused the sasl credential/],
    [
      (client) =>
        client
          .reply('sasl', 1, 0, { token: challenge('n') })
          .reply('sasl', 2, 0, { token: Buffer.from(`rspauth=${'0'.repeat(32)}`) }),
      /does not prove that it knows the password/,
    ],
    [
      (client) => client.reply('sasl', 1, 0, { token: challenge('n') }).reply('sasl', 2, 0, { token: null }),
      /does not prove/,
    ],
  ];
  for (const [act, reason] of cases) {
    const client = rig();
    client.ask('getData', get('/a'));
    client.up();
    act(client);
    const log = client.log();
    assert.match(log.find((line) => line.startsWith('authFailed')) ?? '', reason);
    assert.ok(log.includes('fail /a AuthFailed') && log.includes('auth sasl AuthFailed'), log.join('; '));
    assert.ok(!client.frames().some((frame) => frame.startsWith('getData')));
  }
});

test('while a login is under way no ping is sent and no time is wasted; a server that is silent is left', () => {
  const client = rig({ servers: 'a:1,b:1' }).up();
  assert.ok(client.session.wakeAt > client.now + 3000);
  client.wait(3900);
  assert.deepEqual(client.frames(), ['sasl 1']);
  client.wait(200);
  assert.ok(client.log().some((line) => /^suspended .*no answer/.test(line)));
});

test('credentials and the end of the session wait for the login', () => {
  const client = rig().up();
  client.take(client.session.addAuth({ scheme: 'digest', auth: 'a:b' }, client.now));
  client.ask('getData', get('/a'));
  client.take(client.session.close(client.now));
  assert.deepEqual(
    client.sent.map(({ op }) => op),
    ['sasl'],
  );
  login(client);
  assert.deepEqual(client.frames(), ['auth', 'getData 3', 'closeSession 4']);
  const late = rig().up();
  login(late);
  late.drop();
  late.take(late.session.close(late.now)).again();
  login(late, 'n2');
  assert.deepEqual(late.frames(), ['closeSession 5']);
});

test('a login on a connection that stands holds back what comes behind it', () => {
  const client = rig({ auth: [] }).up();
  client.ask('getData', get('/a'));
  client.frames();
  client.take(client.session.addAuth(BOB, client.now));
  client.ask('getData', get('/b'));
  client.take(client.session.rearm('/a', client.now));
  assert.deepEqual(
    client.sent.map(({ op }) => op),
    ['sasl'],
  );
  login(client);
  // the answer to what was asked before may come behind those of the login
  assert.deepEqual(client.frames(), ['getData 4']);
  client.reply('getData', 1, 1, undefined, -101).reply('getData', 4, 1, undefined, -101);
  assert.deepEqual(client.log(), ['auth sasl ok', 'fail /a NoNode', 'fail /b NoNode']);
  assert.equal(client.session.hasSasl, true);
});

test('two logins, or one without a user, are refused before anything is sent', async () => {
  const dialer = { dial: () => assert.fail('dialled') };
  const ports = { dialer, random: seededRandom(1), clock: undefined as never };
  for (const auth of [[BOB, BOB], [{ scheme: 'sasl', auth: 'bob' }], [{ scheme: 'sasl', auth: ':pw' }]])
    await assert.rejects(connect('a:1', { auth }, ports), RequestError);
});
