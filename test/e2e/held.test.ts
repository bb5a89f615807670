/** Programs that run while something is held, by the built binary: what they are told, when they are ended, what is refused. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Counter, connect, Election, Lock, Queue, Semaphore, STYLES } from '../../src/index.ts';
import { amount } from '../amount.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { Relay } from '../recipes/relay.ts';
import { until } from '../recipes/world.ts';
import { zoosh, zooshProcess } from './cli.ts';
import { HeldStage, whileHeld } from './held-stage.ts';

let stage: HeldStage;
let server: HeldStage['server'];
let client: HeldStage['client'];
before(async () => {
  stage = await HeldStage.open({ maxClientCnxns: '0', forceSync: 'no' });
  ({ server, client } = stage);
});
after(() => stage[Symbol.asyncDispose]());
const file = (name: string): string => stage.file(name);
const textOf = (name: string): string => stage.text(name);

/** Deaf to signals, which it writes down with their time, as it does every few ms with the time; it ends by itself at last. */
const deaf = (name: string): string[] => [
  process.execPath,
  '-e',
  `const note = (word) => require('node:fs').appendFileSync('${file(name)}', word + Date.now() + '\\n');
   for (const each of ['SIGTERM', 'SIGINT', 'SIGUSR1']) process.on(each, () => note(each + ' '));
   setInterval(note, 5, '');
   setTimeout(() => process.exit(), ${3 * PATIENCE_MS});`,
];
const beats = (name: string): number[] => [...textOf(name).matchAll(/^\d+$/gm)].map(([text]) => Number(text));
const queued = async (path: string): Promise<number> =>
  (await client.exists(path)) === undefined ? 0 : (await client.getChildren(path)).children.length;

/** The commands that run a program, up to the path. */
const HOLDING = { lock: ['lock'], elect: ['elect'], semaphore: ['semaphore', '-n', '1'] } as const;
type Holding = keyof typeof HOLDING;
const ALL = Object.keys(HOLDING) as Holding[];

// most of it is waiting for sessions to end
describe('held', { concurrency: 5 }, () => {
  for (const what of ALL)
    test(`${what}: its program is told what is held, and gives the exit code`, async () => {
      const script = 'echo "$ZOOSH_LOCK_PATH $ZOOSH_LOCK_TOKEN $ZOOSH_SERVER"; exit 3';
      const ran = await zoosh([server.connectString, ...HOLDING[what], `/env/${what}`, 'sh', '-c', script]);
      assert.equal(ran.code, 3, ran.stderr);
      const [, token] = new RegExp(`^/env/${what} (\\d+) ${server.connectString}\n$`).exec(ran.stdout) ?? [];
      assert.ok(Number(token) > 0, ran.stdout);
    });

  for (const [what, grace, cap] of [
    ['lock', '30s', 2000],
    ['elect', '300ms', 300],
    ['semaphore', '0s', 0],
  ] as const)
    test(`${what}: cut off, its program gets TERM, and KILL after ${cap} ms, before the next one is in`, () =>
      timely(async (round) => {
        await using relay = await Relay.open(server.connectString);
        const [name, path] = [`grace-${what}-${round}`, `/grace/${what}-${round}`];
        const held = [...HOLDING[what], '--grace', grace, path, ...deaf(name)];
        const holder = zooshProcess(['--timeout', '6s', relay.connectString, ...held]);
        const early = await whileHeld(holder, 'it runs', () => beats(name).length > 3);
        if (early !== undefined) return early;
        const words = [...HOLDING[what], path, process.execPath, '-e', 'console.log(Date.now())'];
        const next = zooshProcess([server.connectString, ...words]);
        const soon = await whileHeld(holder, 'the next one waits', async () => (await queued(path)) === 2);
        if (soon !== undefined) return soon;
        const cutAt = Date.now();
        relay.silence();
        assert.equal(await holder.ended, 33);
        assert.match(holder.stderr(), new RegExp(`losing ${path}`));
        assert.equal(await next.ended, 0);
        const term = Number(/^SIGTERM (\d+)$/m.exec(textOf(name))?.[1] ?? 0);
        const last = beats(name).at(-1) as number;
        const late: string[] = [];
        // who gets no processor before KILL comes writes no TERM down
        if (cap > 0 && term === 0) late.push('no TERM');
        else if (cap > 0) {
          // 90 % of the timeout are believed, from a proof that was a fifth of it old or little more; a busy machine may be late
          if (term < cutAt + 3200 - cap) late.push(`TERM ${term - cutAt} ms after the cut`);
          if (last - term > cap + 250 || last - term < cap / 2) late.push(`KILL ${last - term} ms after TERM`);
        }
        if (last >= Number(next.stdout()))
          late.push(`it wrote ${last - Number(next.stdout())} ms after the next began`);
        return lateIf(late.length > 0, late.join(', '));
      }));

  test('a holder that is paused: the next one has a greater token; running again, it ends its program', () =>
    timely(async (round) => {
      const [name, path] = [`paused-${round}`, `/paused-${round}`];
      const holder = zooshProcess(['--timeout', '6s', server.connectString, 'lock', path, ...deaf(name)]);
      const early = await whileHeld(holder, 'it runs', () => beats(name).length > 3);
      if (early !== undefined) return early;
      const [first] = (await client.getChildren(path)).children;
      const token = (await client.exists(`${path}/${first}`))?.czxid ?? 0n;
      const next = zooshProcess([server.connectString, 'lock', path, 'sh', '-c', 'echo $ZOOSH_LOCK_TOKEN']);
      const soon = await whileHeld(holder, 'the next one waits', async () => (await queued(path)) === 2);
      if (soon !== undefined) return soon;
      holder.kill('SIGSTOP');
      assert.equal(await next.ended, 0);
      assert.ok(BigInt(next.stdout()) > token);
      const before = beats(name).length;
      const goesOn = (): boolean => beats(name).length > before;
      const over = await whileHeld(holder, 'the program runs on', goesOn); // that is what the token is for
      if (over !== undefined) return over;
      holder.kill('SIGCONT');
      assert.equal(await holder.ended, 33);
      const ended = textOf(name).length;
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(textOf(name).length, ended, 'the program runs on');
      return lateIf(!/^SIGTERM /m.test(textOf(name)), 'no TERM before it was dead');
    }));

  test('a holder that is killed: the next one is in when its session is over', () =>
    timely(async (round) => {
      const path = `/killed-${round}`;
      const holder = zooshProcess(['--timeout', '4s', server.connectString, 'lock', path, 'sleep', '180']);
      const early = await whileHeld(holder, 'it holds', async () => (await queued(path)) === 1);
      if (early !== undefined) return early;
      const next = zooshProcess([server.connectString, 'lock', path, 'true']);
      const soon = await whileHeld(holder, 'the next one waits', async () => (await queued(path)) === 2);
      if (soon !== undefined) return soon;
      holder.kill('SIGKILL');
      assert.equal(await next.ended, 0);
      return undefined;
    }));

  test('--signal: another than TERM', () =>
    timely(async (round) => {
      const [name, path] = [`signal-${round}`, `/signal-${round}`];
      const words = ['lock', '--signal', 'USR1', '--grace', '2s', path, ...deaf(name)];
      const holder = zooshProcess([server.connectString, ...words]);
      await until('it runs', () => beats(name).length > 3);
      const [node] = (await client.getChildren(path)).children;
      await client.delete(`${path}/${node}`);
      assert.equal(await holder.ended, 33);
      assert.doesNotMatch(textOf(name), /SIGTERM/);
      return lateIf(!/^SIGUSR1 /m.test(textOf(name)), 'no USR1 in two seconds');
    }));

  test('without a program: 33 when it is lost', async () => {
    const holder = zooshProcess([server.connectString, 'lock', '/alone']);
    await until('it holds', () => /holding \/alone, token \d+/.test(holder.stderr()));
    const [node] = (await client.getChildren('/alone')).children;
    await client.delete(`/alone/${node}`);
    assert.equal(await holder.ended, 33);
  });

  test('a session that expires while it waits: 5, and the program did not run', async () => {
    await using _hold = await new Lock(client, '/waits').acquire();
    await using relay = await Relay.open(server.connectString);
    const waiter = zooshProcess(['--timeout', '4s', relay.connectString, 'lock', '/waits', 'echo', 'in']);
    await until('it waits', async () => (await queued('/waits')) === 2);
    relay.silence();
    assert.equal(await waiter.ended, 5);
    assert.equal(waiter.stdout(), '');
  });

  test('semaphore: N at a time', async () => {
    const held = ['semaphore', '-n', '2', '/two'];
    const both = [1, 2].map(() => zooshProcess([server.connectString, ...held, 'sleep', '180']));
    await until('both hold', async () => (await queued('/two')) === 2);
    const third = await zoosh([server.connectString, 'semaphore', '-n', '2', '--wait', '300ms', '/two', 'true']);
    assert.equal(third.code, 124, third.stderr);
    both[0]?.kill('SIGTERM');
    const fourth = await zoosh([server.connectString, 'semaphore', '-n', '2', '/two', 'echo', 'in']);
    assert.deepEqual([fourth.code, fourth.stdout], [0, 'in\n']);
    both[1]?.kill('SIGTERM');
    for (const each of both) assert.equal(await each.ended, 143);
  });

  test('a second style on one path is refused with 20, by every command; locks knows all of them', async () => {
    const at = server.connectString;
    const other = { zoosh: 'kazoo', kazoo: 'curator', curator: 'zoosh' } as const;
    const waiting = new AbortController();
    await Promise.all(
      STYLES.slice(0, amount(STYLES.length, 1)).map(async (style) => {
        const path = (what: string): string => `/style/${what}-${style}`;
        await using lock = await new Lock(client, path('lock'), { style, id: 'one' }).acquire();
        await using elect = await new Election(client, path('elect'), { style, id: 'one' }).campaign();
        await using semaphore = await new Semaphore(client, path('semaphore'), 1, { style, id: 'one' }).acquire();
        await new Queue(client, path('queue'), { style }).put('x');
        await new Counter(client, path('counter'), { style }).set(7);
        assert.deepEqual([lock.state, elect.state, semaphore.state], ['held', 'held', 'held']);
        const refused = async (...words: string[]): Promise<void> => {
          const ran = await zoosh([at, ...words]);
          assert.equal(ran.code, 20, `${words.join(' ')}: ${ran.stderr}`);
          assert.match(ran.stderr, /^error: .*\n hint: leave --style out to do as those who are there$/m);
        };
        for (const what of ALL) {
          await refused(...HOLDING[what], '--style', other[style], path(what), 'true');
          const late = await zoosh([at, ...HOLDING[what], '--id', 'two', '--wait', '100ms', path(what), 'true']);
          assert.equal(late.code, 124, `${what} ${style}: ${late.stderr}`);
        }
        await refused('queue', 'put', '--style', other[style], path('queue'), 'y');
        // decimal text is the same to kazoo and us
        await refused('counter', 'get', '--style', style === 'curator' ? 'zoosh' : 'curator', path('counter'));
        await using second = await connect(at);
        new Lock(second, path('lock'), { id: 'two' }).acquire({ signal: waiting.signal }).catch(() => {});
        await until('the second queues', async () => (await queued(path('lock'))) === 2);
        const shown = JSON.parse((await zoosh(['-o', 'json', at, 'locks', path('lock')])).stdout);
        assert.deepEqual(
          shown.map((each: Record<string, unknown>) => [each.position, each.state, each.style, each.id]),
          [
            [1, 'holding', style, 'one'],
            [2, 'waiting', style, 'two'],
          ],
        );
        const semaphores = JSON.parse((await zoosh(['-o', 'json', at, 'locks', path('semaphore')])).stdout);
        assert.deepEqual(
          semaphores.map((each: Record<string, unknown>) => [each.state, each.style, each.role, each.id]),
          [['holding', style, 'lease', 'one']],
        );
      }),
    );
    waiting.abort();
  });
});
