/** Scenes of what goes wrong, by exit code: each refusal of a server, and what the shell, its host and a server's start say. */
import { join } from 'node:path';
import { KEEPER_CODES, type KeeperCode, KeeperError } from '../../src/base/errors.ts';
import { explainStart } from '../../src/cli/start-failures.ts';
import { ConnectError } from '../../src/client/api.ts';
import { startEmbedded } from '../../src/runtime/embed.ts';
import { EXIT_OF_KEEPER, UNKNOWN_OUTCOME } from '../../src/shell/exit-codes.ts';
import { Failure } from '../../src/shell/failure.ts';
import { DamageError } from '../../src/storage/errors.ts';
import { demo } from './ensemble.ts';
import { fileFor, type Scene, type Stage } from './stage.ts';

const scene = (lines: readonly string[], set?: Scene['set']): Scene => ({ lines, ...(set !== undefined && { set }) });

/** Every read and write is refused with this code. */
const refusing =
  (code: KeeperCode) =>
  ({ answers }: Stage): void => {
    const refuse = (path: string): Promise<never> => Promise.reject(new KeeperError(code, path));
    answers({ get: refuse, set: refuse, create: refuse });
  };
/** Changes are; what is read before them comes. */
const losing =
  (code: KeeperCode) =>
  ({ answers }: Stage): void => {
    answers({ set: (path: string) => Promise.reject(new KeeperError(code, path)) });
  };
const failing =
  (error: Error) =>
  ({ answers }: Stage): void =>
    answers({ get: () => Promise.reject(error) });

/** What `zoosh start` says when a start fails with this. */
const start =
  (what: string, work: (stage: Stage) => Promise<unknown>) =>
  async (stage: Stage): Promise<void> => {
    stage.pieces.push({ type: 'typed', text: `zoosh ${what}` });
    const { write } = process.stderr;
    try {
      await work(stage);
    } catch (error) {
      let text = '';
      process.stderr.write = ((chunk: string) => {
        text += chunk;
        return true;
      }) as typeof write;
      const status = explainStart(error, '');
      process.stderr.write = write;
      stage.pieces.push({ type: 'warned', text: text.trimEnd() }, { type: 'ended', status });
      return;
    } finally {
      process.stderr.write = write;
    }
    throw new Error(`zoosh ${what} did not fail`);
  };

/** Each code of a server as a read meets it, and as a change does where that differs. */
const REFUSALS = (Object.keys(KEEPER_CODES) as KeeperCode[]).flatMap((code): (readonly [number, Scene])[] => [
  [EXIT_OF_KEEPER[code], scene(['get /app/config'], refusing(code))],
  ...(UNKNOWN_OUTCOME.has(code) ? [[6, scene(['set /app/config x'], losing(code))] as const] : []),
]);

const OWN: readonly (readonly [number, Scene])[] = [
  [1, scene(['exists /nope', 'assert data /app/config off'])],
  [
    2,
    scene([
      'get',
      'get --nope /app',
      'get /app /b -z',
      'create /app/ a b c',
      "get '/app",
      'ls ${nope}',
      'set -v x /app y',
      'sleep soon',
      'cp /app/config',
      'commit',
      'ls /app || ',
      'use @nowhere',
    ]),
  ],
  [
    3,
    scene(['get /app/config'], ({ shell }) => {
      const hosts = [
        { host: 'zk1.example.com:2181', reason: 'refused' },
        { host: 'zk2.example.com:2181', reason: 'DNS: not found' },
        { host: 'zk3.example.com:2181', reason: 'answers but is not serving' },
      ];
      shell.ports.session.client = () => Promise.reject(new ConnectError(hosts, 5000));
    }),
  ],
  [10, scene(['get /app/confg', 'ls /nope/*', 'create /nope/child', 'mv /nope /there', 'undo'])],
  [11, scene(['create /app/config x', 'mv /app/motd /app/config', 'cp -r /app /backup'])],
  [12, scene(['set -v 9 /app/config x', 'delete -v 9 /app/config'])],
  [13, scene(['delete /app'])],
  [14, scene(['get /secret', 'set /secret x', 'export /secret -'])],
  [15, scene(['setAcl /app world:anyone:cdrwa,digest:x:r', 'setAcl /app world:anyone:q', 'acl rm /app world:anyone'])],
  [16, scene(['create /app/workers/web1/x'])],
  [19, scene(['set /app/config @{folder}/big'], (stage) => fileFor(stage, 'big', new Uint8Array(2 << 20)))],
  [
    20,
    scene(['lock --style kazoo --id ann /jobs/held -- ./x'], async ({ client, ports }) => {
      ports({ start: async () => ({ ended: Promise.resolve(0), kill: () => {} }) });
      await client.create('/jobs/held', null);
      await client.create('/jobs/held/1000a1b2c3d40001-lock-', 'ann', { mode: 'ephemeralSequential' });
    }),
  ],
  [
    21,
    scene(['4lw cons'], ({ shell }) => {
      shell.ports.session.word = async () => 'cons is not executed because it is not in the whitelist.\n';
    }),
  ],
  [25, scene(['removewatches /app'])],
  [
    30,
    scene([
      'deleteall /zookeeper',
      'deleteall --limit 2 /app',
      'setAcl /app digest:ann:7RJfAeIvrl4zdj6sS2fXrQHDvHM=:cdrwa',
    ]),
  ],
  [30, scene(['set /app/config x'], ({ ports }) => ports({ readOnly: true }))],
  [
    33,
    scene(['lock --id ann /jobs/mine -- ./nightly.sh'], ({ ports, client }) => {
      ports({
        start: async () => {
          let end: (status: number) => void = () => {};
          const ended = new Promise<number>((resolve) => {
            end = resolve;
          });
          void client.close();
          return { ended, kill: () => end(143) };
        },
      });
    }),
  ],
  [
    40,
    scene(
      [],
      start('start standalone --host 203.0.113.7', () => startEmbedded({ host: '203.0.113.7', logLevel: 'error' })),
    ),
  ],
  [
    41,
    scene(
      [],
      start('start standalone --port 2181', async ({ server }) => {
        await startEmbedded({ port: server.port, logLevel: 'error' });
      }),
    ),
  ],
  [
    42,
    scene(
      [],
      start('start standalone --data data', ({ folder }) =>
        startEmbedded({ dataDir: join(folder, '../data'), logLevel: 'error' }),
      ),
    ),
  ],
  [
    43,
    scene(
      [],
      start('start standalone --set tickTime=soon', () => startEmbedded({ settings: { tickTime: 'soon' } })),
    ),
  ],
  [
    44,
    scene(
      [],
      start('start standalone --data data', () =>
        Promise.reject(new DamageError({ file: 'data/version-2/log.1', offset: 4096, reason: 'a checksum is wrong' })),
      ),
    ),
  ],
  [
    45,
    scene(['ensemble kill demo leader', 'ensemble start demo'], (stage) =>
      demo(stage, {
        kill: () => Promise.reject(new Failure(45, 'NoSuchMember', 'demo has no leader now')),
        start: () =>
          Promise.reject(
            new Failure(45, 'NoQuorum', 'demo: no quorum in 30s', { hint: 'zoosh ensemble logs demo tells more' }),
          ),
      }),
    ),
  ],
  [70, scene(['get /app/config'], failing(new TypeError("Cannot read properties of undefined (reading 'x')")))],
  [124, scene(['wait /nope --timeout 5ms', 'barrier -n 2 --timeout 5ms --id ann /jobs/start'])],
  [126, scene(['edit /app/config'], ({ ports }) => ports({ os: async () => 126 }))],
  [127, scene(['gett /app', 'help nope', 'frobnicate'])],
  [130, scene(['get /app/config'], failing(new DOMException('interrupted', 'AbortError')))],
];

/** Exit codes that no screen of the shell can show. */
export const SILENT: Readonly<Record<number, string>> = {
  0: 'it went well',
  31: 'answers of a person: see the screens of the prompt',
  129: 'nobody is there any more to be told',
  143: 'nothing is said: the signal that ended it was sent by whoever waits',
};

/** By exit code, each a page. */
export const ERRORS: ReadonlyMap<number, readonly Scene[]> = (() => {
  const out = new Map<number, Scene[]>();
  for (const [exit, each] of [...OWN, ...REFUSALS]) out.set(exit, [...(out.get(exit) ?? []), each]);
  return out;
})();
