/** Acceptance checks of the prompt on an ensemble that loses its leader. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Session } from '../editor/session.ts';
import { PATIENCE_MS } from '../patience.ts';
import { BIN } from './cli.ts';
import { base, env, good, insist, run } from './local-ensembles.ts';

test('accept 22: the leader is killed while repeat writes: the gap is told, and it goes on', async () => {
  const hosts = (await good('start', 'ensemble', 'gap', '-n', '3', '--base-port', String(await base()), '-d')).trim();
  using session = new Session({
    sh: `exec '${process.execPath}' '${BIN}' --connect-timeout 60s --timeout 40s -k ${hosts}`,
    env: { ...env, LANG: 'C.UTF-8', NO_COLOR: '1' },
  });
  const sees = (text: string | RegExp): Promise<void> =>
    session.until(
      (screen) => (typeof text === 'string' ? screen.includes(text) : text.test(screen)),
      String(text),
      PATIENCE_MS,
    );
  const all = (): string => session.screen.all().join('\n');
  /** Also what has been scrolled away by what came after it. */
  const saw = (text: RegExp): Promise<void> => session.until(() => text.test(all()), String(text), PATIENCE_MS);
  const version = (): number => Number([...all().matchAll(/set \/x v(\d+)/g)].at(-1)?.[1] ?? -1);
  assert.equal(await good('local/gap', 'exists', '/zookeeper'), 'yes\n', 'an ensemble of this machine is a target');
  assert.deepEqual((await run('local/other', 'ls', '/')).code, 2);
  await sees('type help');
  session.type('connect lo\t');
  await sees('connect local/gap |');
  session.type('\x15');
  session.type('create /x\rrepeat 0 -i 100ms set /x y\r');
  await saw(/set \/x v3/);
  await insist('-y', 'ensemble', 'kill', 'gap', 'leader');
  await saw(/lost connection to \S+/);
  await saw(/back on \S+ after [\d.]+s, session kept/);
  const after = version();
  await session.until(() => version() >= after + 5, 'writes after the gap', PATIENCE_MS);
  session.type('\x03');
  await sees(/interrupted\n[^\n]*> \|$/);
  session.type('get /x\r');
  await sees(/get \/x\ny\n/);
  session.type('\x04');
  assert.equal(await session.ended(), 0);
});
