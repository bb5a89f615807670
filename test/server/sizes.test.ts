import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { rig } from './rig.ts';

const { server, settle, attach } = rig(seededRandom(3));
const ask = (c: any, name: string, value: unknown) => {
  const to = new Writer();
  to.int32(1);
  const o = (OPERATIONS as any)[name];
  to.int32(o.code);
  o.request.write(to, value);
  const b = to.take();
  server.receive(c, b, 0, b.length);
};
const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const t = (n: string, f: () => void) => {
  const a = performance.now();
  f();
  console.log(n, (performance.now() - a).toFixed(1));
};
test('x', () => {
  const a = attach(),
    b = attach();
  ask(b, 'create', { path: '/p', data: null, acl, flags: 0 });
  settle();
  for (let i = 0; i < 100000; i++) {
    ask(a, 'create', { path: `/p/e${i}`, data: Buffer.from('x'), acl, flags: 1 });
    if (i % 500 === 0) {
      settle();
    }
  }
  settle();
  t('decide close', () => ask(a, 'closeSession', {}));
  t('apply close', () => settle());
  for (let i = 0; i < 200000; i++) {
    ask(b, 'create', { path: `/p/some-longer-name-${i}`, data: Buffer.from('x'), acl, flags: 0 });
    if (i % 500 === 0) {
      settle();
    }
  }
  settle();
  t('list', () => ask(b, 'getChildren', { path: '/p', watch: false }));
  settle();
  t('list', () => ask(b, 'getChildren', { path: '/p', watch: false }));
  settle();
  for (let i = 0; i < 200000; i++) {
    ask(b, 'createTtl', { path: `/p/ttl-${i}`, data: Buffer.from('x'), acl, flags: 5, ttl: 1000000n });
    if (i % 500 === 0) {
      settle();
    }
  }
  settle();
  t('reap', () => server.reap(100));
  server.wall += 2000000;
  t('reap due', () => server.reap(100));
  settle();
  assert.ok(true);
});
