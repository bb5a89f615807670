/** Commands that no other file asks for JSON. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { zoosh } from './live-shell.ts';
import { base, ENV, SERVER, shell, statJson, statOf } from './shell-rig.ts';

test('the other commands in JSON', async () => {
  const at = await base('json');
  await using js = shell('-o', 'json');
  await js.json(`put ${at}/p/q 1`, async () => ({
    path: `${at}/p/q`,
    created: true,
    stat: statJson(await statOf(`${at}/p/q`)),
  }));
  await js.json(`put ${at}/p/q 22`, async () => {
    const stat = statJson(await statOf(`${at}/p/q`));
    return { path: `${at}/p/q`, created: false, version: 1, stat };
  });
  await js.json(`create -e ${at}/mine`, async () => ({
    path: `${at}/mine`,
    created: true,
    stat: statJson(await statOf(`${at}/mine`)),
  }));
  await js.json(`getEphemerals ${at}`, { path: at, children: [`${at}/mine`] });
  await js.json(`setAcl ${at}/p world:anyone:cdra`, { path: `${at}/p`, aversion: 1 });
  await js.json(`setAcl -R ${at}/p world:anyone:cdrwa`, { path: `${at}/p`, count: 2 });
  const none = { count: -1, bytes: -1, hardCount: -1, hardBytes: -1 };
  await js.json(`setquota -n 9 -B 99 ${at}/p`, { path: `${at}/p`, ...none, count: 9, hardBytes: 99 });
  await js.json(`delquota -n ${at}/p`, { path: `${at}/p`, ...none, hardBytes: 99 });
  await js.json(`delquota ${at}/p`, { path: `${at}/p`, removed: true });
  await js.json(`exists -w ${at}/p`, true);
  await js.json('printwatches off', { printwatches: 'off' });
  await js.json('printwatches', 'off');
  await js.json(`removewatches ${at}/p`, { path: `${at}/p`, kind: 'any' });
  await js.json(`deleteall ${at}/p`, { deleted: 2, paths: [`${at}/p`] });
  await js.json('pwd', '/');
  await js.json('config', async () => ({
    path: '/zookeeper/config',
    data: '',
    encoding: 'utf8',
    stat: statJson(await statOf('/zookeeper/config')),
  }));
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  await js.json(
    'version',
    new RegExp(`^\\{"client":"${version}","protocol":"0","server":"3\\.[^"]+","address":"${SERVER}"\\}\\n$`),
  );
  await js.json(`profile add json ${SERVER}`, { profile: 'json', action: 'add' });
  await js.json('profile show json', { server: SERVER });
  await js.json('settings hints', 'on');
  await js.json('settings hints off', { hints: 'off' });
  await js.json('history', []);
  await js.json('history --clear', { cleared: true });
  await js.json('help quoting', /./);
  await js.json(`delete ${at}/mine`, { deleted: 1, paths: [`${at}/mine`] });
  await js.json('use json', /"profile":"json","server":"[^"]+","session":"0x[0-9a-f]+"/);
  await js.json('connect', /^\{"server":"[^"]+","session":"0x[0-9a-f]+","timeoutMs":30000\}\n$/);
  await js.no(
    `get ${at}/nope`,
    10,
    `{"error":{"code":"NoNode","exit":10,"message":"node does not exist","path":"${at}/nope","command":"get ${at}/nope"}}`,
  );
  await js.no(
    `get`,
    2,
    '{"error":{"code":"Usage","exit":2,"message":"get: PATH is missing","command":"get","hint":"usage: get [-s] [-w] [-b] [-x] [--raw] [--at .KEY] [--no-pretty] [-m] PATH..."}}',
  );
  const both = await zoosh(['-o', 'ndjson', SERVER, 'getAcl', '/', at], ENV);
  const acl = [{ scheme: 'world', id: 'anyone', perms: 'cdrwa' }];
  assert.deepEqual(
    String(both.out)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      { path: '/', aversion: 0, acl },
      { path: at, aversion: 0, acl },
    ],
  );
});
