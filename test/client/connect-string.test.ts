import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectStringError, parseConnectString, showServer } from '../../src/client/connect-string.ts';

const good: [text: string, servers: string, chroot: string][] = [
  ['localhost', 'localhost:2181', ''],
  ['a:1', 'a:1', ''],
  ['a,b:2182, c:65535', 'a:2181 b:2182 c:65535', ''],
  ['a/', 'a:2181', ''],
  ['a:1,b:2/app/x', 'a:1 b:2', '/app/x'],
  ['[::1]', '[::1]:2181', ''],
  ['[fe80::1%eth0]:2182,10.0.0.1/c', '[fe80::1%eth0]:2182 10.0.0.1:2181', '/c'],
];
for (const [text, servers, chroot] of good)
  test(`'${text}' is ${servers} with chroot '${chroot}'`, () => {
    const parsed = parseConnectString(text);
    assert.equal(parsed.servers.map(showServer).join(' '), servers);
    assert.equal(parsed.chroot, chroot);
  });

const bad: [text: string, why: RegExp][] = [
  ['', /names no server/],
  ['/app', /names no server/],
  ['a,,b', /empty place/],
  ['a,', /empty place/],
  [':2181', /without a host/],
  ['a:0', /1 to 65535/],
  ['a:65536', /1 to 65535/],
  ['a:x', /1 to 65535/],
  ['a:1:2', /brackets/],
  ['::1', /brackets/],
  ['[::1', /not closed/],
  ['[::1]x', /only :port/],
  ['[abc]', /only IPv6/],
  ['a b', /not a host name/],
  ['a//x', /chroot.*empty name/],
  ['a/x/', /chroot.*must not end/],
  ['a/x/../y', /chroot.*relative/],
  ['a/x😀', /chroot.*U\+1F600 at character 3: names hold none beyond/],
  [Array.from({ length: 1001 }, () => 'a').join(), /1000 servers/],
];
for (const [text, why] of bad)
  test(`'${text.slice(0, 30)}' is refused: ${why.source}`, () => {
    assert.throws(
      () => parseConnectString(text),
      (error: Error) => error instanceof ConnectStringError && why.test(error.message),
    );
  });
