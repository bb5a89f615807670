/** What is said of a command that failed on its way: whether its changes were made, and whose ACL said no. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import type { Client, OpOptions } from '../../src/client/api.ts';
import { type Rig, rig } from './rig.ts';

const lost = (path: string): Promise<never> => Promise.reject(new KeeperError('ConnectionLoss', path));
const denied = (path: string): Promise<never> => Promise.reject(new KeeperError('NoAuth', path));
const stat = { version: 0, numChildren: 0, ephemeralOwner: 0n, dataLength: 0 };
/** A session that answers so. */
const shellOf = (answers: object): Rig =>
  rig({
    get: async () => ({ data: Buffer.from('x'), stat }),
    exists: async () => stat,
    ...answers,
  } as unknown as Client);

/** Exit code, message and hint of a line. */
async function told({ shell, told }: Rig, line: string): Promise<readonly [number, string, string | undefined]> {
  const exit = await shell.run(line);
  const { message, hint } = told.at(-1)?.failure ?? assert.fail(`${line} did not fail`);
  return [exit, message, hint];
}

test('a read that is lost before a command changed anything is a read that is lost', async () => {
  const [exit, message] = await told(shellOf({ get: lost }), 'set --append /a x');
  assert.deepEqual([exit, message], [3, 'the connection broke before a reply came: /a']);
});

test('of a change that is lost the outcome is unknown, whatever fails after it', async () => {
  const [exit, message] = await told(shellOf({ set: lost }), 'set /a x');
  assert.deepEqual(
    [exit, message],
    [6, 'outcome unknown: the connection broke before a reply came; it may or may not have been done: /a'],
  );
  // a delete is under way when the read is lost, and its answer will be lost, too
  const open = shellOf({ get: lost, delete: () => new Promise(() => {}) });
  Object.assign(open.shell.ports, { opTimeoutMs: () => 50 });
  const client = await open.shell.client();
  const under = client.delete('/a/b').catch((error: KeeperError) => error.code);
  assert.equal((await told(open, 'set --append /a x'))[0], 6);
  assert.equal(await under, 'OperationTimeout');
  assert.equal((await told(open, 'set --append /a x'))[0], 3);
});

test('C-c says that a change was under way, if one was', async () => {
  for (const isChange of [true, false]) {
    const slow = (_path: string, ...more: unknown[]): Promise<never> =>
      new Promise((_resolve, reject) => {
        const { signal } = more.at(-1) as OpOptions;
        signal?.addEventListener('abort', () => reject(signal.reason));
        setImmediate(() => out.shell.interrupt());
      });
    const out = shellOf(isChange ? { set: slow } : { get: slow });
    const [exit, message, hint] = await told(out, isChange ? 'set /a x' : 'set --append /a x');
    assert.deepEqual([exit, message], [130, 'interrupted']);
    const wanted = isChange ? 'a change was under way, and may have been made: look before trying again' : undefined;
    assert.equal(hint, wanted);
  }
});

test('who makes or deletes a node is told whose ACL decides that: its parent says', async () => {
  const shell = shellOf({ create: denied, delete: denied, set: denied });
  assert.equal((await told(shell, 'create /a/b x'))[1], 'not permitted by the ACL of /a: /a/b');
  assert.equal((await told(shell, 'create -s /a/ x'))[1], 'not permitted by the ACL of /a: /a/');
  assert.equal((await told(shell, 'delete /b'))[1], 'not permitted by the ACL of /: /b');
  const [exit, message, hint] = await told(shell, 'set /a/b x');
  assert.deepEqual([exit, message], [14, 'not permitted by the ACL: /a/b']);
  assert.match(hint ?? '', /addauth/);
});
