/**
 * `npm run pictures`: makes docs/pictures again, each from a session of the real program on a pseudo terminal. Run by hand,
 * from the repository's root, when what the shell shows has changed; ids and times are those of the moment.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../../src/embed.ts';
import { type Client, connect } from '../../src/index.ts';
import { Session } from '../editor/session.ts';
import { svgOf } from './svg.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-pictures-'));
const server = await startEmbedded();
const other = await connect(server.connectString);

interface Scene {
  readonly name: string;
  readonly title: string;
  readonly target: string;
  play(one: Session, other: Client): Promise<void>;
}

const SCENES: readonly Scene[] = [
  {
    name: 'menu',
    title: 'zoosh @local',
    target: '@local',
    async play(one) {
      await enter(one, 'cd /app');
      await enter(one, 'ls -l');
      await enter(one, 'get config');
      one.type('get workers/\t\t');
      await one.shows('> ');
      await settled();
      one.type('\t');
      await settled();
    },
  },
  {
    name: 'events',
    title: 'zoosh @local',
    target: '@local',
    async play(one, other) {
      await enter(one, 'cd /app');
      await enter(one, 'watch -R .');
      one.type('set config {"level": "wa');
      await settled();
      await other.set('/app/config', '{"level": "debug"}');
      await other.create('/app/workers/worker-e', 'busy');
      await other.set('/app/workers/worker-a', 'resting');
      await other.delete('/app/workers/worker-e');
      await one.shows('deleted');
      await settled();
    },
  },
  {
    name: 'plan',
    title: 'zoosh @prod',
    target: '@prod',
    async play(one) {
      await enter(one, 'get /app/confg');
      one.type('deleteall /old\r');
      await one.shows('Type');
      await settled();
      await enter(one, '/old');
    },
  },
];

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 400));

/** Types a line and waits for the prompt after it. */
async function enter(one: Session, line: string): Promise<void> {
  one.type(`${line}\r`);
  await settled();
  await one.until((screen) => /> \|$/.test(screen), `the prompt after ${line}`);
}

async function plant(): Promise<void> {
  await other.create('/app', null);
  await other.create('/app/config', '{"level": "info", "ports": [2181, 2182]}');
  await other.create('/app/workers', null);
  for (const name of ['a', 'b', 'c', 'd'])
    await other.create(`/app/workers/worker-${name}`, 'idle', { mode: 'ephemeral' });
  await other.create('/old', null);
  for (const [at, name] of [...'abcdefgh'].entries()) {
    await other.create(`/old/${name}`, null);
    for (let task = 0; task < 60 - 7 * at; task++) await other.create(`/old/${name}/task-${task}`, 'x'.repeat(300));
  }
}

try {
  await plant();
  mkdirSync(join(folder, 'config'), { recursive: true });
  const profile = { server: server.connectString };
  writeFileSync(
    join(folder, 'config', 'config.json'),
    JSON.stringify({ profiles: { local: profile, prod: { ...profile, protect: true, color: 'red' } } }),
    { mode: 0o600 },
  );
  mkdirSync('docs/pictures', { recursive: true });
  for (const { name, title, target, play } of SCENES) {
    using one = new Session({
      columns: 88,
      rows: 30,
      sh: `exec ${process.execPath} bin/zoosh.js ${target}`,
      env: { ZOOSH_HOME: folder, HOME: folder, LANG: 'C.UTF-8' },
    });
    await one.shows('type help');
    await play(one, other);
    writeFileSync(join('docs/pictures', `${name}.svg`), svgOf(one.screen, title));
    console.log(`docs/pictures/${name}.svg`);
  }
} finally {
  await other.close();
  await server.stop();
  rmSync(folder, { recursive: true });
}
