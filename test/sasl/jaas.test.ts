import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKerberos, JaasError, loginOf, readJaas, usersOf } from '../../src/sasl/jaas.ts';

const FILE = `
/* of a cluster; it is
   not of this world */
Server { // who may come
  org.apache.zookeeper.server.auth.DigestLoginModule required
    user_super="adm\\"in; } secret"
    user_bob='pa ss'   user_j\u00fcrgen = "pa\u00df";
};
# a line of its own
Client {
  org.apache.zookeeper.server.auth.DigestLoginModule Required username="bob"
  password="pa ss";
};
QuorumServer { com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab="/etc/k" storeKey=true; };
Empty { };
`;

test('sections, modules and options as Java reads them', () => {
  const jaas = readJaas(FILE);
  assert.deepEqual([...jaas.keys()], ['Server', 'Client', 'QuorumServer', 'Empty']);
  const server = jaas.get('Server') ?? [];
  assert.deepEqual(
    [...(usersOf(server) ?? [])],
    [
      ['super', 'adm"in; } secret'],
      ['bob', 'pa ss'],
      ['j\u00fcrgen', 'pa\u00df'],
    ],
  );
  assert.deepEqual(loginOf(jaas.get('Client') ?? []), { user: 'bob', password: 'pa ss' });
  assert.equal(jaas.get('Client')?.[0]?.flag, 'required');
  const quorum = jaas.get('QuorumServer') ?? [];
  assert.deepEqual([isKerberos(quorum), isKerberos(server), isKerberos([])], [true, false, false]);
  assert.deepEqual([usersOf(quorum), usersOf([]), loginOf(server)], [undefined, undefined, undefined]);
  assert.equal(quorum[0]?.options.get('useKeyTab'), 'true');
});

test('what is no such file is refused with its line, and without what may be a secret', () => {
  const wrong: readonly [string, number, RegExp][] = [
    ['Server', 1, /the file ends where \{/],
    ['Server {', 1, /the file ends where a login module or \}/],
    ['Server {\n a.B needed x="geheim";\n};', 2, /other words stand where one of required/],
    ['Server {\n a.B required\n x "geheim";\n};', 3, /other words stand where = /],
    ['Server {\n a.B required x="geheim\n";\n};', 2, /a string begins here/],
    ['Server {\n a.B required x=;\n};', 2, /; stands where the value/],
    ['Server { a.B required; }', 1, /the file ends where ;/],
    ['A { };\nA { };', 2, /section A stands here a second time/],
    ['\n/* A { };', 2, /a comment begins here/],
    ['= geheim', 1, /= stands where the name of a section/],
  ];
  for (const [text, line, message] of wrong)
    assert.throws(
      () => readJaas(text),
      (error) =>
        error instanceof JaasError &&
        error.line === line &&
        message.test(error.message) &&
        !/geheim/.test(error.message),
      text,
    );
});

test('an empty file has no sections', () => assert.equal(readJaas(' \n// nothing\n').size, 0));
