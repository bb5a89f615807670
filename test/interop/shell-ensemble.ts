/**
 * The commands about members against an ensemble, an ensemble of one being enough:
 *
 *   ZOOKEEPER=127.0.0.1:2181 node --test dist/test/interop/shell-ensemble.js
 *
 * The server: one participant, standaloneEnabled=false, reconfigEnabled=true, the superDigest of super:adminpass, its
 * client address in its server line. Debian's zookeeper must be there.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { coverage } from './live-shell.ts';
import { client, HOME, one, SERVER, shell, statJson, statOf, statText, zkCli } from './shell-rig.ts';

const PATH = '/zookeeper/config';
const textOf = async (): Promise<string> => String((await client.get(PATH)).data);
/** The text without its version, and that. */
const parts = (text: string): [string, string] => {
  const at = text.lastIndexOf('version=');
  return [text.slice(0, at), text.slice(at + 'version='.length).trim()];
};
const OBSERVER = 'server.2=127.0.0.1:21091:21092:observer;127.0.0.1:21093';
const NO_AUTH = 'error: not permitted by the ACL: /zookeeper/config';

test('config shows members, version and where clients connect', async () => {
  const text = await textOf();
  const [, version] = parts(text);
  assert.match(text, /^server\.1=127\.0\.0\.1:\d+:\d+:participant;127\.0\.0\.1:\d+\nversion=[0-9a-f]+$/);
  await using sh = shell('-o', 'plain');
  await sh.ok('config', `${text}\n`);
  await sh.ok('config -c', `${version} ${SERVER}\n`);
  await sh.ok('config -s', `${text}\n${statText(await statOf(PATH))}`);
  await using js = shell('-o', 'json');
  await js.json('config', async () => ({
    path: PATH,
    data: text,
    encoding: 'utf8',
    stat: statJson(await statOf(PATH)),
  }));
  const stat = await statOf(PATH);
  assert.deepEqual([stat.version, stat.aversion, stat.czxid, stat.mzxid], [-1, -1, 0n, BigInt(`0x${version}`)]);
  assert.ok((await zkCli('config\n')).includes(text));
});

test('members come, move and go', async () => {
  const [own, version] = parts(await textOf());
  await using sh = shell('--yes', '-o', 'plain');
  await sh.no(
    'reconfig --remove 9',
    14,
    NO_AUTH,
    ' hint: addauth digest super:PASSWORD, where servers have a superDigest',
  );
  await sh.ok('addauth digest super:adminpass');
  await sh.no(
    'reconfig --remove 9 -v ffffffffff',
    12,
    'error: the version given is not the current one: /zookeeper/config',
    ' hint: somebody changed the members meanwhile: config shows them',
  );
  const invalid = 'error: the arguments are not valid: /zookeeper/config';
  for (const [words, hint] of [
    [
      '--add 2=127.0.0.1:21091:21092:observer',
      'server 2 lacks a port for clients: 2=127.0.0.1:21091:21092:observer;2181',
    ],
    ['--add nonsense', 'nonsense is not a server: ID=HOST:QUORUMPORT:ELECTIONPORT[:observer];CLIENTPORT'],
    ['--remove 1', 'no voter would be left'],
  ])
    await sh.no(`reconfig ${words}`, 20, invalid, ` hint: ${hint}`);
  await sh.no(
    'reconfig --remove x',
    20,
    'error: the server could not read the request: /zookeeper/config',
    ' hint: x is not an id: ids are numbers',
  );
  await sh.no(
    'reconfig --add 2=127.0.0.1:21091:21092;127.0.0.1:21093',
    23,
    'error: no quorum of the new configuration is connected and up to date: /zookeeper/config',
    ' hint: start the servers that join first; they are counted once they have everything',
  );
  assert.equal(parts(await textOf())[1], version, 'nothing of that changed anything');

  await sh.ok('config -w', `${own}version=${version}\n`);
  const added = await sh.line(`reconfig -v ${version} -add 2=127.0.0.1:21091:21092:observer;127.0.0.1:21093`);
  assert.equal(added.status, 0);
  assert.match(added.err, /^\S+ changed {2}\/zookeeper\/config\n$/);
  assert.equal(added.out, `${await textOf()}\n`);
  const [members, second] = parts(added.out);
  assert.equal(members, `${own}${OBSERVER}\n`);
  assert.notEqual(second, version);
  await sh.ok('config -c', `${second} ${SERVER},127.0.0.1:21093\n`);

  const moved = OBSERVER.replaceAll('2109', '2119');
  const out = await sh.out(`reconfig --add ${moved} --add 3=127.0.0.1:1:2:observer;3 --remove 2 -s`);
  assert.ok(out.startsWith(`${own}${moved}\nserver.3=127.0.0.1:1:2:observer;0.0.0.0:3\nversion=`), out);
  assert.ok(out.endsWith(statText(await statOf(PATH))), out);
  await sh.ok('config -c', new RegExp(` ${SERVER},127\\.0\\.0\\.1:21193,127\\.0\\.0\\.1:3\\n$`));

  const file = join(HOME, 'members');
  writeFileSync(file, `# all of them\n${own}${OBSERVER}\n`);
  assert.equal(parts(await sh.out(`reconfig --file ${file}`))[0], `${own}${OBSERVER}\n`);
  assert.equal(parts(await sh.out(`reconfig --members ${own.trim()}`))[0], own);
  assert.equal(parts(await textOf())[0], own);
});

test('reconfig in JSON, and as one command', async () => {
  await using js = shell('--yes', '-o', 'json');
  await js.line('addauth digest super:adminpass');
  const data = async (): Promise<unknown> => ({
    path: PATH,
    data: await textOf(),
    encoding: 'utf8',
    stat: statJson(await statOf(PATH)),
  });
  const stranger = await js.line('reconfig --remove 8');
  assert.deepEqual([stranger.status, stranger.err], [0, 'no member has the id 8\n']);
  assert.deepEqual(JSON.parse(stranger.out), await data());
  const before = await textOf();
  const refused = await one('reconfig', '--remove', '8');
  assert.deepEqual(
    [refused.status, refused.out.toString(), refused.err],
    [
      30,
      '',
      'error: refused: will not change the members of the ensemble: nobody is there to ask\n hint: say --yes before the command\n',
    ],
  );
  assert.equal(await textOf(), before);
});

test('nothing of these commands is left out', () => {
  const about = coverage().unused.filter((each) => /^(config|reconfig)\b/.test(each));
  assert.deepEqual(about, []);
});
