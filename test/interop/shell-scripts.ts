/** What scripts are made of: saying, waiting, asserting; and what the session knows of itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lateIf, timely } from '../patience.ts';
import { base, client, SERVER, shell, statJson, statOf } from './shell-rig.ts';

test('echo, sleep, touch, assert, session, watches', async () => {
  const at = await base('scripts');
  await client.create(`${at}/a`, 'on');
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await sh.ok('echo in ${cwd}', `in ${at}\n`);
  await sh.ok('echo', '\n');
  const began = performance.now();
  await sh.ok('sleep 300ms');
  assert.ok(performance.now() - began >= 300);
  await sh.ok('touch a', '1\n');
  assert.equal(String((await client.get(`${at}/a`)).data), 'on');
  await sh.ok('touch new', `${at}/new\n`);
  await sh.no('touch no/where', 10, `error: node does not exist: ${at}/no/where`);
  await sh.ok('assert exists a && assert absent b && assert data a on && assert version a 1 && assert children . 2');
  await sh.no('assert exists b', 1, `error: assertion failed: ${at}/b does not exist`);
  await sh.no('assert absent a', 1, `error: assertion failed: ${at}/a exists`);
  await sh.no('assert data a off', 1, `error: assertion failed: ${at}/a has other data`);
  await sh.no('assert data new ""', 1, `error: assertion failed: ${at}/new has no data`);
  await sh.no('assert version a 7', 1, `error: assertion failed: ${at}/a has version 1, not 7`);
  await sh.no('assert children a 7', 1, `error: assertion failed: ${at}/a has 0 children, not 7`);
  await sh.ok('get -w a', 'on\n');
  await sh.ok('addWatch new');
  await sh.ok('watches', new RegExp(`^1\t${at}/a\tdata\t\\S+Z\t0\n2\t${at}/new\tpersistentRecursive\t\\S+Z\t0\n$`));
  await sh.ok('create -e mine', `${at}/mine\n`);
  const session = await sh.out('session');
  assert.match(
    session,
    /^id\t0x[0-9a-f]+\nstate\tconnected\nserver\t127\.0\.0\.1:\d+\nrole\tstandalone\nversion\t3\.\d+\.\d+/,
  );
  assert.match(session, /\nclient\t127\.0\.0\.1\ntimeoutMs\t30000\n/);
  assert.match(session, /\nidentities\tip:127\.0\.0\.1\nephemerals\t1\nwatches\t2\n$/);

  await using js = shell('-o', 'json');
  await js.json('echo a b', 'a b');
  await js.json('sleep 1ms', { sleptMs: 1 });
  await js.json(`assert exists ${at}/a`, { assert: 'exists', path: `${at}/a`, ok: true });
  await js.json(`touch ${at}/a`, async () => {
    const stat = statJson(await statOf(`${at}/a`));
    return { path: `${at}/a`, created: false, version: 2, stat };
  });
  await js.json('watches', []);
  await js.json(
    'session',
    /^\{"id":"0x[0-9a-f]+","state":"connected","server":"[^"]+",.*"ephemerals":0,"watches":0\}\n$/,
  );
});

test('repeat, time, each: a command within a command', async () => {
  const at = await base('loops');
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  const three = [0, 1, 2].map((n) => `${at}/n-000000000${n}`);
  await sh.ok('repeat 3 -i 5ms create -s n- {"a": 1}', three.map((path) => `${path}\n`).join(''));
  await sh.ok('each n-* do get {}', '{"a": 1}\n{"a": 1}\n{"a": 1}\n');
  await sh.ok('each n-* do get {} | wc -l', '3\n');
  await sh.ok(
    'each n-* do create copy-{name} "two words"',
    three.map((path) => `${path.replace('n-', 'copy-n-')}\n`).join(''),
  );
  assert.equal(String((await client.get(`${at}/copy-n-0000000002`)).data), 'two words');
  await sh.no('each x* do get {}', 10, `error: nothing matches ${at}/x*`);
  // with -k, as here, it goes on
  const nope = `error: node does not exist: ${at}/nope`;
  await sh.no('repeat 2 get nope', 10, nope, nope);
  await sh.no('repeat -k 2 get nope', 10, nope, nope);
  const inner = `${at}/n-0000000000`;
  await sh.no('each -k n-*0 do get {}/nope', 10, `${inner}: error: node does not exist: ${inner}/nope`);
  await sh.no('repeat -1 pwd', 2, 'error: repeat: COUNT must not be negative: -1');
  await timely(async () => {
    const { out, err, status } = await sh.line('time ls');
    assert.deepEqual([out.split('\n').length, status], [7, 0]);
    return lateIf(!/^took 0\.\d{3}s\n$/.test(err), err);
  });
  await using js = shell('-o', 'json');
  await js.json(`repeat 1 exists ${at}`, true);
  await js.json(`each ${at}/n-*0 do exists {}`, true);
  const timed = await js.line(`time exists ${at}`);
  assert.equal(timed.out, 'true\n');
});

test('wait: until it is so, or 124', async () => {
  const at = await base('wait');
  await client.create(`${at}/a`, 'x');
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await sh.ok(
    'wait a && wait a --exists && wait nope --gone && wait a --data x* && wait a --version 0 && wait . --children 1',
    [`${at}/a\t0\t0`, `${at}/a\t0\t0`, `${at}/nope\tgone`, `${at}/a\t0\t0`, `${at}/a\t0\t0`, `${at}\t0\t1`, ''].join(
      '\n',
    ),
  );
  const soon = (work: () => Promise<unknown>, ms = 100): void => void setTimeout(() => void work(), ms);
  soon(() => client.create(`${at}/b`));
  await sh.ok('wait b --timeout 60s', `${at}/b\t0\t0\n`);
  soon(() => client.delete(`${at}/b`));
  await sh.ok('wait b --gone --timeout 60s', `${at}/b\tgone\n`);
  soon(() => client.set(`${at}/a`, 'ready now'));
  await sh.ok('wait a --data ready* --timeout 60s', `${at}/a\t1\t0\n`);
  // what was changed before a shell that is late looked is no change to it
  let version = 1;
  await timely(async (round) => {
    soon(() => client.set(`${at}/a`, 'z'), 100 * 10 ** round);
    version++;
    const changed = await sh.line('wait a --changed --timeout 20s');
    if (changed.status === 124) return changed.err;
    assert.deepEqual(changed, { out: `${at}/a\t${version}\t0\n`, err: '', status: 0 });
    return undefined;
  });
  version++;
  soon(() => client.set(`${at}/a`, 'z'));
  await sh.ok(`wait a --version ${version} --timeout 60s`, `${at}/a\t${version}\t0\n`);
  soon(async () => {
    await client.create(`${at}/w`);
    await client.create(`${at}/w/1`);
    await client.create(`${at}/w/2`);
  });
  await sh.ok('wait w --children 2 --timeout 60s', `${at}/w\t0\t2\n`);
  await sh.no('wait never --timeout 50ms', 124, `error: not within 50ms: ${at}/never does not exist`);
  await sh.no('wait a --gone --exists', 2, 'error: wait: one of --exists --gone --changed --data --children --version');
  await using js = shell('-o', 'json');
  await js.json(`wait ${at}/a`, { path: `${at}/a`, exists: true, version, children: 0 });
  await js.json(`wait ${at}/nope --gone`, { path: `${at}/nope`, exists: false });
});

test('4lw: the words of the server in use, of those named, of all', async () => {
  await using sh = shell('-o', 'plain');
  await sh.ok('4lw ruok', 'imok\n');
  await sh.ok(`4lw ISRO ${SERVER}`, 'rw\n');
  await sh.ok('4lw srvr --all', /^Zookeeper version: [\s\S]*\nMode: standalone\nNode count: \d+\n$/);
  await sh.ok(`4lw ruok ${SERVER} ${SERVER}`, `${SERVER}:\nimok\n${SERVER}:\nimok\n`);
  const dead = await sh.line('4lw ruok 127.0.0.1:1');
  assert.deepEqual([dead.status, /^error: 127\.0\.0\.1:1 does not answer: /.test(dead.err)], [3, true]);
  await sh.ok('4lw --admin-port 1 ruok', 'imok\n');
  await sh.no('4lw ruok --all 127.0.0.1:1', 2, 'error: 4lw: --all and HOST exclude each other');
  await using js = shell('-o', 'json');
  await js.json('4lw ruok', { host: SERVER, word: 'ruok', answer: 'imok' });
});

test('find: every test', async () => {
  const at = await base('find');
  const big = 'x'.repeat(3000);
  for (const [name, data] of [
    ['a', 'one'],
    ['a/B1', big],
    ['a/b2', null],
    ['c', 'two words'],
    ['c/d', null],
    ['c/d/e', 'on'],
  ] as const)
    await client.create(`${at}/${name}`, data);
  await client.set(`${at}/c`, 'two words again');
  const owned = await client.create(`${at}/mine`, null, { mode: 'ephemeral' });
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  const finds = async (tests: string, ...names: string[]): Promise<void> =>
    names.length === 0
      ? sh.no(`find ${tests}`, 1)
      : sh.ok(`find ${tests}`, names.map((name) => `${at}${name}\n`).join(''));
  await finds('', '', '/a', '/a/B1', '/a/b2', '/c', '/c/d', '/c/d/e', '/mine');
  await finds('a', '/a', '/a/B1', '/a/b2');
  await finds('-name b*', '/a/b2');
  await finds('-iname b*', '/a/B1', '/a/b2');
  await finds('-regex "/c/.*e$"', '/c/d/e');
  await finds(`-path ${at}/c*`, '/c', '/c/d', '/c/d/e');
  await finds('-data words', '/c');
  await finds('-acl world -name c', '/c');
  await finds('-acl digest');
  await finds('-ctime -1h -name c -print', '/c');
  await finds('-size +2k', '/a/B1');
  await finds('-size 2', '/c/d/e');
  await finds('-children 2', '/a');
  await finds('-children -1 -size -3 -persistent', '/a/b2', '/c/d/e');
  await finds('-version +0', '/c');
  await finds('-mtime +1d');
  await finds('-mtime -1h -depth 1 -name c', '/c');
  await finds('-ephemeral', '/mine');
  await finds(`-owner 0x${client.sessionId.toString(16)}`, owned.path.slice(at.length));
  await finds('-empty -leaf -persistent', '/a/b2');
  await finds('-limit 2', '', '/a');
  await sh.ok('find -leaf -count', '4\n');
  await sh.ok('find c -name e -ls', new RegExp(`^persistent\\t0\\t2\\t0\\t[^\\t]+\\t0x0\\t${at}/c/d/e\\n$`));
  await sh.ok('find c -leaf -exec get {}', 'on\n');
  await sh.no('find -count -delete', 2, 'error: find: one of -count -ls -delete -exec');
  await sh.no('find nowhere', 10, `error: node does not exist: ${at}/nowhere`);
  await sh.no('find -size many', 2, 'error: find: -size is a number with + or - before it, not many');
  await using js = shell('-o', 'json');
  await js.json(`find ${at}/c -name e`, { path: `${at}/c`, children: [`${at}/c/d/e`] });
  await client.delete(owned.path);
  await sh.ok('find c -name "?" -delete', `${at}/c/d/e\n${at}/c/d\n${at}/c\n`);
  await finds('-name c');
});
