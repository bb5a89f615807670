/** A real server under attack at its client port, plain or by TLS, with a client beside that must notice nothing. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import { type ConnectOptions, connect as connectClient, fourLetterWord } from '../../src/index.ts';
import { until } from '../e2e/members.ts';
import { PATIENCE_MS } from '../patience.ts';
import { makeAuthority, makeCertificate } from '../tls/certificates.ts';
import { ClientAttack, type Door } from './client-attack.ts';
import { Bystander } from './peer-siege.ts';
import { type Blocks, beginLooking, blocksOf, probedServer, residentMiB, showBlocks } from './probed.ts';

const HOST = '127.0.0.1';

export interface ClientSiege extends Blocks {
  readonly inputs: number;
  readonly connections: number;
  readonly seconds: number;
  readonly writes: number;
  readonly slowestMs: number;
  readonly grownMiB: number;
  readonly kinds: ReadonlyMap<string, number>;
  readonly operations: ReadonlyMap<string, number>;
  readonly outcomes: ReadonlyMap<string, number>;
}
export interface ClientSiegeOptions {
  readonly inputs: number;
  readonly seed: number;
  /** By TLS: at a secure port, and at one that takes both. */
  readonly tls: boolean;
  /** Told now and then how many inputs there were. */
  readonly progress?: (inputs: number) => void;
}

const outcomesOf = (...whens: readonly string[]): string[] =>
  whens.flatMap((when) => ['answered', 'hung up'].map((what) => `${when}: ${what}`));
/** What must have become of some. */
export const WANTED = outcomesOf('before a session', 'in a session');
export const WANTED_BY_TLS = [
  ...outcomesOf('before a session', 'in a session', 'in place of TLS', 'in the handshake'),
  'in the handshake: waits for more',
];

/** Keys in files, and what they are for. */
class Certified implements Disposable {
  private readonly folder = mkdtempSync(join(tmpdir(), 'zoosh-siege-'));
  private readonly authority = makeAuthority('the besieged');
  private readonly own = makeCertificate(this.authority, { hosts: [HOST] });
  private readonly client = makeCertificate(this.authority, { hosts: ['bystander'] });
  private readonly stranger = makeCertificate(makeAuthority('nobody'), { hosts: ['stranger'] });
  readonly lines: readonly string[];
  constructor() {
    const write = (name: string, text: string): string => {
      const file = join(this.folder, name);
      writeFileSync(file, text, { mode: 0o600 });
      return file;
    };
    this.lines = [
      'secureClientPort=0',
      'secureClientPortAddress=127.0.0.1',
      'client.portUnification=true',
      'ssl.clientAuth=want',
      `ssl.keyStore.location=${write('own.pem', this.own.store)}`,
      `ssl.trustStore.location=${write('ca.pem', this.authority.pem)}`,
    ];
  }
  private keyOf({ key }: { readonly key: Certified['own']['key'] }): string {
    return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  }
  get bystander(): ConnectOptions['tls'] {
    return { ca: this.authority.pem, cert: this.client.pem, key: this.keyOf(this.client) };
  }
  doors(unified: number, secure: number): Door[] {
    const known = { cert: this.client.pem, key: this.keyOf(this.client) };
    const unknown = { cert: this.stranger.pem, key: this.keyOf(this.stranger) };
    return [
      { port: unified, tls: false },
      { port: unified, tls: true, ...known },
      { port: secure, tls: true, ...known },
      { port: secure, tls: true, ...unknown },
    ];
  }
  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Attacks a server of its own until so many inputs were taken or refused. */
export async function besiegeClients({ inputs, seed, tls, progress }: ClientSiegeOptions): Promise<ClientSiege> {
  using keys = tls ? new Certified() : undefined;
  const lines = ['4lw.commands.whitelist=*', 'maxClientCnxns=0', 'extendedTypesEnabled=true', 'enforceQuota=true'];
  await using server = await probedServer([...lines, ...(keys?.lines ?? [])]).start();
  const secure = Number(/binding to secure port 127\.0\.0\.1:(\d+)/.exec(server.stderr)?.[1]);
  const doors = keys?.doors(server.port, secure) ?? [{ port: server.port, tls: false }];
  const [hosts, by] = keys === undefined ? [server.hosts, {}] : [`${HOST}:${secure}`, { tls: keys.bystander }];
  const options = { ...by, connectTimeoutMs: PATIENCE_MS } as ConnectOptions;
  const watching = await connectClient(hosts, options);
  const bystander = new Bystander(await connectClient(hosts, options), '/beside');
  const events: string[] = [];
  const attack = new ClientAttack(doors, seededRandom(seed));
  const began = performance.now();
  while (bystander.writes === 0) await sleep(5);
  await beginLooking(server);
  await watching.addWatch('/beside', ({ type, path }) => void events.push(`${type} ${path}`), { recursive: true });
  const before = residentMiB(server.pid);
  const timer = setInterval(() => progress?.(attack.inputs), 500);
  const isSeen = (what: string): boolean => (attack.outcomes.get(what) ?? 0) > 0;
  const wanted = tls ? WANTED_BY_TLS : WANTED;
  await attack.run(inputs, () => bystander.writes > 10 && wanted.every(isSeen));
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1000;
  const grownMiB = residentMiB(server.pid) - before;
  await bystander.stop();
  const { writes, slowestMs, failures } = bystander;
  assert.deepEqual(failures, [], server.stderr);
  assert.equal(String((await watching.get('/beside')).data), String(writes - 1));
  assert.deepEqual([...new Set(events)].sort(), ['NodeDataChanged /beside']);
  await watching.close();
  // whoever is gone is counted no more
  const figures = (): Promise<string> => fourLetterWord('mntr', { host: HOST, port: server.port });
  await until(
    async () => /^zk_outstanding_tls_handshake\t0$/m.test(await figures()),
    PATIENCE_MS,
    () => server.stderr,
  );
  assert.equal(await server.kill('SIGTERM'), 0, server.stderr);
  for (const when of ['in a session', 'before a session'])
    assert.equal(attack.outcomes.get(`${when}: no answer`), undefined, 'a ping or a hello was not answered');
  const { kinds, outcomes, connections, sayings } = attack;
  return {
    ...{ inputs: attack.inputs, connections, seconds, writes, slowestMs, ...blocksOf(server) },
    ...{ grownMiB: Math.round(grownMiB), kinds, outcomes, operations: sayings.operations },
  };
}

const list = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${name} ${count}`)
    .join('; ');

export const showSiege = (found: ClientSiege): string =>
  [
    `${found.inputs} inputs by ${found.connections} connections in ${found.seconds.toFixed(1)} s`,
    `beside: ${found.writes} writes, none failed, the slowest took ${found.slowestMs.toFixed(0)} ms`,
    `${showBlocks(found)}; its memory grew by ${found.grownMiB} MiB`,
    `kinds: ${list(found.kinds)}`,
    `operations: ${list(found.operations)}`,
    `outcomes: ${list(found.outcomes)}`,
  ].join('\n');
