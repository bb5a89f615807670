/** digest-md5.json: exchanges between the client and the server of Java's own SASL (OpenJDK 17), as they said them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { challenge, respond, verify } from '../../src/sasl/digest-md5.ts';
import { only, readDirectives } from '../../src/sasl/directives.ts';

interface Recorded {
  readonly user: string;
  readonly password: string;
  readonly challenge: string;
  readonly answer: string;
  readonly reply: string;
}
const RECORDED = JSON.parse(
  readFileSync(new URL('../../../test/sasl/digest-md5.json', import.meta.url), 'utf8'),
) as Recorded[];
const value = (message: string, name: string): string =>
  only(readDirectives(Buffer.from(message)) ?? assert.fail(), name) ?? assert.fail();
const BOB = { user: 'bob', password: 'secret', nonce: 'n0nce', cnonce: 'cn0nce' };
const passwordOf = (user: string): string | undefined => (user === 'bob' ? 'secret' : undefined);
const answer = (change: (token: string) => string = (token) => token): Buffer =>
  Buffer.from(
    change((respond(challenge(BOB.nonce), BOB.user, BOB.password, BOB.cnonce) ?? assert.fail()).token.toString()),
  );

test('what Java clients answer proves who they are, and is answered as Java servers do', () => {
  for (const { user, password, challenge: first, answer, reply } of RECORDED) {
    const nonce = value(first, 'nonce');
    assert.equal(challenge(nonce).toString(), first);
    const proven = verify(Buffer.from(answer), nonce, (asked) => (asked === user ? password : undefined));
    assert.deepEqual([proven?.user, proven?.reply.toString()], [user, reply]);
    assert.equal(
      verify(Buffer.from(answer), nonce, () => `${password}.`),
      undefined,
    );
  }
  assert.equal(RECORDED.length, 9);
});

test('what Java servers ask is answered as Java clients do', () => {
  for (const { user, password, challenge: first, answer, reply } of RECORDED) {
    const own = respond(Buffer.from(first), user, password, value(answer, 'cnonce'));
    assert.equal(value(own?.token.toString() ?? '', 'response'), value(answer, 'response'));
    assert.equal(value(own?.token.toString() ?? '', 'username'), user);
    assert.equal(own?.proves(Buffer.from(reply)), true);
    assert.equal(own?.proves(Buffer.from(reply.replace(/.$/, (last) => (last === '0' ? '1' : '0')))), false);
    assert.equal(own?.proves(Buffer.from('')), false);
  }
});

test('an answer that is not the one asked for proves nothing', () => {
  assert.equal(verify(answer(), BOB.nonce, passwordOf)?.user, 'bob');
  const wrong: Record<string, (token: string) => string> = {
    'an old nonce': (token) => token.replace('n0nce', 'older'),
    'another user': (token) => token.replace('"bob"', '"eve"'),
    'no user': (token) => token.replace('username="bob",', ''),
    'two users': (token) => `${token},username="eve"`,
    'a second count': (token) => token.replace('nc=00000001', 'nc=00000002'),
    'another realm': (token) => token.replace('realm="zk-sasl-md5"', 'realm="else"'),
    'another service': (token) => token.replace('"zookeeper/', '"imap/'),
    'another host': (token) => token.replace('/zk-sasl-md5"', '/localhost"'),
    'integrity layer': (token) => token.replace('qop=auth', 'qop=auth-int'),
    'in the name of another': (token) => `${token},authzid="eve"`,
    'in its own name, unproven': (token) => `${token},authzid="bob"`,
    'an empty cnonce': (token) => token.replace('"cn0nce"', '""'),
    'half of it': (token) => token.slice(0, token.length / 2),
    'no digest': (token) => token.replace(/response=[^,]*,/, ''),
    'a short digest': (token) => token.replace(/(response=\w{31})\w/, '$1'),
    'a long digest': (token) => token.replace(/response=\w{32}/, '$&0'),
    nothing: () => '',
    'no pairs': () => '\0\0\0',
    'very many': (token) => `${token}${',a=b'.repeat(100_000)}`,
  };
  for (const [what, change] of Object.entries(wrong))
    assert.equal(verify(answer(change), BOB.nonce, passwordOf), undefined, what);
  assert.equal(verify(answer(), 'other', passwordOf), undefined);
});

test('a user without a password is nobody, and so is who is not known', () => {
  const { token } = respond(challenge('n'), 'eve', '', 'c') ?? assert.fail();
  assert.equal(verify(token, 'n', passwordOf), undefined);
});

test('what is no challenge of DIGEST-MD5, or asks for more than auth, is not answered', () => {
  for (const message of [
    '',
    'realm="r"',
    'nonce="n"',
    'nonce="n",algorithm=md5',
    'nonce="n",algorithm=md5-sess,qop="auth-conf"',
    'nonce="n',
  ])
    assert.equal(respond(Buffer.from(message), 'bob', 'secret', 'c'), undefined, message);
  assert.ok(respond(Buffer.from('nonce="n",algorithm=md5-sess,qop="auth-int, auth"'), 'bob', 'secret', 'c'));
});
