/** A secret shows nothing of itself, whatever is made of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { Secret, secretOf } from '../../src/base/secret.ts';
import { makeLogger } from '../../src/runtime/log.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';

const TEXT = 'canaryQx7Lm2';

test('texts, JSON, dumps, errors and logs have three stars; who asks for the text has it', () => {
  const secret = new Secret(TEXT);
  let logged = '';
  const logger = makeLogger('info', 'ndjson', { write: (line) => void (logged += line) });
  logger.info(`it is ${secret}`);
  logger.info(JSON.stringify({ secret }));
  let compared = '';
  try {
    assert.deepEqual({ secret }, { secret: 'x' });
  } catch (error) {
    compared = String((error as Error).message);
  }
  const shown: readonly string[] = [
    `${secret}`,
    String(secret),
    `a ${secret} b`,
    [secret].join(),
    JSON.stringify({ deep: [{ secret }] }),
    inspect(secret),
    inspect({ deep: { er: { secret } } }, { depth: 9, showHidden: true }),
    inspect(secret, { customInspect: false, showHidden: true }),
    format('%s %o %O %j', secret, secret, secret, secret),
    String(new Error(`no ${secret}`)),
    String(new Error('no', { cause: secret }).stack),
    inspect(new Error('no', { cause: { secret } })),
    inspect(Object.assign(new Error('no'), { secret })),
    Object.entries(secret).join(),
    JSON.stringify(structuredClone({ secret })),
    JSON.stringify({ ...secret }),
    logged,
    compared,
  ];
  for (const each of shown) assert.ok(!each.includes(TEXT), each);
  assert.equal(shown.filter((each) => each.includes('***')).length >= 12, true, shown.join('\n'));
  assert.equal(secret.reveal(), TEXT);
  assert.deepEqual([secretOf(undefined), secretOf(TEXT)?.reveal(), secretOf('')?.reveal()], [undefined, TEXT, '']);
});

test('a whole configuration that is dumped shows none of its secrets', () => {
  const jaas = `Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_bob="${TEXT}"; };`;
  const text = [
    ...['dataDir=/d', 'clientPort=1', 'secureClientPort=2', 'ssl.keyStore.location=/k.pem'],
    ...['ssl.trustStore.location=/t.pem', `ssl.keyStore.password=${TEXT}`, `ssl.trustStore.password=${TEXT}`],
    `DigestAuthenticationProvider.superDigest=super:${Buffer.from(TEXT.padEnd(20)).toString('base64')}`,
    'authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
    ...['java.security.auth.login.config=/jaas', `SASLAuthenticationProvider.superPassword=${TEXT}`, ''],
  ].join('\n');
  const config = checkConfig(parseProperties(text, 'zoo.cfg'), { jaas: { text: jaas, file: '/jaas', mode: 0o600 } });
  assert.equal(config.auth.sasl?.users.get('bob')?.reveal(), TEXT);
  assert.equal(config.clientTls?.keyStore.password?.reveal(), TEXT);
  assert.match(config.digestAuth.superDigest?.reveal() ?? '', /^super:/);
  const users = [...(config.auth.sasl?.users ?? [])];
  for (const shown of [inspect(config, { depth: 20, showHidden: true }), JSON.stringify([config, users])])
    for (const each of [TEXT, Buffer.from(TEXT).toString('base64').slice(0, 12)])
      assert.ok(!shown.includes(each), each);
});
