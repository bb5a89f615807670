/**
 * Stands in for a server where only processes and files are looked at: reads its zoo.cfg, takes its ports, answers `srvr`,
 * clients that sync, its control socket, and ends on SIGTERM. The member with the highest id says that it leads. Settings of its zoo.cfg:
 * `x.damaged=N`: member N tells of damage;
 * `x.reconfig=lost`: a reconfig breaks the connection, otherwise it is refused for want of a quorum;
 * `x.alone=N`: no quorum answers member N; `x.never=N`: member N never serves; `x.cutNever=N`: nor does it while it is cut off; `x.fails=N`: member N ends with 44; `x.deaf=N`: member N does not hear SIGTERM.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Leash } from '../../src/cli/leash.ts';
import type { MemberCommand } from '../../src/ensemble/process.ts';
import { realClock } from '../../src/platform/clock.ts';
import { Control } from '../../src/runtime/control.ts';
import { PeerFaults } from '../../src/runtime/peer-faults.ts';

export const STAND_IN: MemberCommand = { program: process.execPath, args: [fileURLToPath(import.meta.url)] };

async function main(argv: readonly string[]): Promise<void> {
  const after = (word: string): string => argv[argv.indexOf(word) + 1] as string;
  const lines = readFileSync(after('--config'), 'utf8').split('\n');
  const value = (key: string): string | undefined => lines.find((line) => line.startsWith(`${key}=`))?.split('=')[1];
  const sid = Number(readFileSync(join(value('dataDir') as string, 'myid'), 'utf8'));
  const is = (key: string): boolean => value(key) === String(sid);
  if (is('x.fails')) {
    process.stderr.write('info: reading\nerror: a file is damaged\n');
    process.exit(44);
  }
  const own = /^server\.\d+=([^:]+):(\d+):(\d+):\w+;[^:]+:(\d+)$/.exec(
    lines.find((line) => line.startsWith(`server.${sid}=`)) ?? '',
  ) as RegExpExecArray;
  const [host, quorum, election, client] = [own[1] as string, ...own.slice(2).map(Number)] as [
    string,
    number,
    number,
    number,
  ];
  const sids = lines.flatMap((line) => /^server\.(\d+)=/.exec(line)?.[1] ?? []).map(Number);
  const leader = Math.max(...sids);
  const config = [...lines.filter((line) => /^server\.\d+=/.test(line)), 'version=0'].join('\n');
  const role: 'leader' | 'follower' = sid === leader ? 'leader' : 'follower';
  const faults = new PeerFaults(realClock);
  const isServing = (): boolean => !is('x.never') && !(is('x.cutNever') && faults.inForce.cut.length > 0);
  const server = {
    faults,
    status: () => ({
      sid,
      role,
      phase: 'broadcast',
      serving: isServing(),
      settled: isServing(),
      epoch: 1,
      zxid: `0x10000000${sid}`,
      leader,
      clientPort: client,
      clients: 0,
      repair: undefined,
      damage: is('x.damaged') ? DAMAGE : [],
      electionMs: 12,
    }),
    digest: async () => ({ zxid: '0x1', digest: `d${sid}` }),
    snapshot: async () => ({ zxid: '0x1' }),
    backup: () => Promise.reject(new Error('it holds nothing')),
    purge: async () => [],
    cutClients: () => {},
    logLevel: () => 'info',
    stop: () => process.exit(0),
  } as const;
  await Control.open(after('--control'), server);
  for (const port of [quorum, election])
    createServer()
      .listen({ host, port })
      .on('error', () => process.exit(41));
  createServer((socket) => {
    socket.on('error', () => {});
    let rest: Buffer = Buffer.alloc(0);
    let isClient: boolean | undefined;
    socket.on('data', (bytes: Buffer) => {
      isClient ??= bytes.toString('latin1', 0, 4) !== 'srvr';
      if (!isClient) socket.end(isServing() ? `Zookeeper version: 0\nMode: ${role}\n` : 'not serving\n');
      else if (!isServing() || is('x.alone'))
        return; // as one that no quorum answers
      else rest = answerAll(socket, Buffer.concat([rest, bytes]), config, value('x.reconfig'));
    });
  })
    .listen({ host, port: client })
    .on('error', () => {
      process.stderr.write(`error: ${host}:${client} is in use\n`);
      process.exit(41);
    });
  process.stderr.write(`${new Date().toISOString()} info  member ${sid} is up\n`);
  process.on('SIGTERM', () => {
    if (is('x.deaf')) return;
    process.stderr.write(`${new Date().toISOString()} info  stopping\n`);
    process.exit(0);
  });
  if (argv.includes('--leash')) new Leash(process.stdin).ended.then(() => process.exit(0));
}

const SYNC = 9;
const GET_DATA = 4;
const CLOSE = -11;
const RECONFIG = 16;
const NEW_CONFIG_NO_QUORUM = -13;
/** Answers whole requests of a client: its session, syncs, and reads of the config. Returns what is not whole yet. */
function answerAll(
  socket: Socket & { knows?: boolean },
  bytes: Buffer,
  config: string,
  reconfig: string | undefined,
): Buffer {
  let rest = bytes;
  while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
    const body = rest.subarray(4, 4 + rest.readInt32BE(0));
    rest = rest.subarray(4 + body.length);
    const type = body.readInt32BE(4);
    if (socket.knows !== true) {
      socket.knows = true;
      const said = Buffer.alloc(4 + 4 + 8 + 4 + 16 + 1);
      said.writeInt32BE(10_000, 4);
      said.writeBigInt64BE(7n, 8);
      said.writeInt32BE(16, 16);
      send(socket, said);
      continue;
    }
    if (type === RECONFIG && reconfig === 'lost') {
      socket.destroy();
      return Buffer.alloc(0);
    }
    const head = Buffer.alloc(16);
    head.writeInt32BE(body.readInt32BE(0), 0);
    head.writeBigInt64BE(1n, 4);
    if (type === RECONFIG) head.writeInt32BE(NEW_CONFIG_NO_QUORUM, 12);
    const text = Buffer.from(config);
    const length = Buffer.alloc(4);
    length.writeInt32BE(text.length, 0);
    const path = type === SYNC ? body.subarray(8) : Buffer.alloc(0);
    const data = type === GET_DATA ? Buffer.concat([length, text, Buffer.alloc(68)]) : Buffer.alloc(0);
    send(socket, Buffer.concat([head, path, data]));
    if (type === CLOSE) socket.end();
  }
  return rest;
}
function send(socket: Socket, body: Buffer): void {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length, 0);
  socket.write(Buffer.concat([length, body]));
}

const DAMAGE = [
  {
    at: 1_795_000_000_000,
    found: 'data damaged: a',
    mended: { at: 1_795_000_001_000, how: 'given again by server 3' },
  },
  { at: 1_795_000_002_000, found: 'data damaged: b', mended: undefined },
];
if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
