/** The files of docs/deploy say what the program understands. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fromEnvironment, imageOf } from '../../src/operate/from-env.ts';
import { shims } from '../../src/operate/shims.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';

const DEPLOY = fileURLToPath(new URL('../../../docs/deploy/', import.meta.url));
const read = (name: string): string => readFileSync(join(DEPLOY, name), 'utf8');

test('the manifest for Kubernetes makes three members that know each other by a secret', () => {
  const text = read('kubernetes.yaml');
  const env: Record<string, string> = { ZOO_MY_ID: '2' };
  for (const [, name = '', folded, plain = ''] of text.matchAll(
    /- name: (ZOO_\w+)\n +value: (?:>-\n((?: {16}\S.*\n)+)|(.*)\n)/g,
  ))
    env[name] = (folded ?? plain).trim().replace(/\s*\n\s*/g, ' ');
  assert.equal(imageOf(env), 'docker');
  const { config, myid = '' } = fromEnvironment(env);
  const checked = checkConfig(parseProperties(config.join('\n'), 'zoo.cfg'), {
    myid: { text: myid, from: { option: 'test' } },
  });
  assert.equal(checked.ensemble?.servers.length, 3);
  assert.equal(checked.ensemble?.secretFile, '/run/secrets/peers/secret');
  assert.deepEqual(checked.ensemble?.listen.quorum, [{ host: '0.0.0.0', port: 2888 }]);
  assert.equal(checked.clientPort, 2181);
  assert.ok(text.includes('mountPath: /run/secrets/peers'));
  // every pod of the set is in the list, under the name that the headless service gives it
  for (const nr of [0, 1, 2])
    assert.ok(env.ZOO_SERVERS?.includes(`server.${nr + 1}=zookeeper-${nr}.zookeeper-members:2888:3888;2181`));
});

test('image, entrypoint and unit call what there is', () => {
  const names = new Set(shims('node', 'zoosh').map(({ name }) => name));
  for (const file of ['Dockerfile', 'entrypoint.sh', 'kubernetes.yaml'])
    for (const [name] of read(file).matchAll(/zk[A-Z]\w+\.sh/g)) assert.ok(names.has(name), `${file}: ${name}`);
  assert.ok(statSync(join(DEPLOY, 'entrypoint.sh')).mode & 0o100);
  const folders = [...read('Dockerfile').matchAll(/ZOO_\w+_DIR=(\S+)/g)].map(([, dir]) => dir);
  assert.deepEqual(folders, ['/conf', '/data', '/datalog', '/logs']);
  const { config, configDir } = fromEnvironment({});
  assert.deepEqual([config[0], config[1], configDir], ['dataDir=/data', 'dataLogDir=/datalog', '/conf']);
  // codes of a start that will fail again are no reason to try it again
  assert.match(read('zoosh.service'), /^RestartPreventExitStatus=2 42 43 44$/m);
  // without netlink os.networkInterfaces() throws (test/interop/operate.ts starts a server so)
  const families = /^RestrictAddressFamilies=(.*)$/m.exec(read('zoosh.service'))?.[1]?.split(' ') ?? [];
  assert.deepEqual(families.sort(), ['AF_INET', 'AF_INET6', 'AF_NETLINK', 'AF_UNIX']);
});
