import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../base/make-folders.ts';
import { connect } from '../client/connect.ts';
import { folders } from '../config/folders.ts';
import { EnsembleFolder, ensembleNames, type MemberFile, serverLine } from '../ensemble/layout.ts';
import { freeBlock } from '../ensemble/ports.ts';
import { StartError } from '../runtime/start-error.ts';
import { usage } from '../shell/failure.ts';
import { parseNumber } from '../shell/units.ts';

export interface ObserverWords {
  /** Connect string of the ensemble. */
  readonly join: string;
  readonly myid: string | undefined;
  readonly port: string | undefined;
  readonly host: string;
  readonly dataDir: string;
}

const CONNECT_MS = 10_000;
const FIRST_PORT = 2181;
const MOST_ID = 254;

/**
 * What stands in the zoo.cfg of an observer that joins a running ensemble: its members as it tells them, and a line of the
 * observer's own. The id is kept in the data directory, so that it is the same the next time. Where the ensemble is one of
 * this machine, its name and secret come with it. @throws Failure, StartError (43), ConnectError
 */
export async function observerLines(words: ObserverWords): Promise<{ lines: string[]; myid: string }> {
  const { host, dataDir } = words;
  await using client = await connect(words.join, { connectTimeoutMs: CONNECT_MS });
  const { data } = await client.getConfig();
  const members = (data?.toString() ?? '').split('\n').filter((line) => line.startsWith('server.'));
  if (members.length === 0) throw new StartError(43, `${words.join} is a server alone, which no observer can join`);
  const ids = members.map((line) => Number(/^server\.(\d+)/.exec(line)?.[1]));
  const id = idOf(words, ids);
  const own = members.find((line) => line.startsWith(`server.${id}=`));
  if (own !== undefined && !/:observer(;|$)/.test(own))
    throw new StartError(43, `server ${id} of ${words.join} is a participant, not an observer; give another --myid`);
  const port = words.port === undefined ? await freeBlock(host, FIRST_PORT, 1, new Set()) : Number(words.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_000) throw usage(`--port is a port, not ${words.port}`);
  const self: MemberFile = { id, role: 'observer', client: port, control: '' };
  makeFolders(dataDir, { mkdirSync, statSync });
  writeFileSync(join(dataDir, 'myid'), `${id}\n`);
  const lines = [
    'tickTime=2000',
    'initLimit=10',
    'syncLimit=5',
    `dataDir=${dataDir}`,
    'standaloneEnabled=false',
    'reconfigEnabled=true',
    'peerType=observer',
    ...trustOf(words.join),
    ...members,
    ...(own === undefined ? [serverLine(host, self)] : []),
  ];
  return { lines, myid: String(id) };
}

/** As said, as it was the last time, or the lowest that is free. */
function idOf({ myid, dataDir }: ObserverWords, taken: readonly number[]): number {
  let id = myid === undefined ? keptId(dataDir) : parseNumber(myid, '--myid');
  if (id === undefined) for (id = 1; taken.includes(id); id++);
  if (id < 1 || id > MOST_ID) throw usage(`--myid is a number from 1 to ${MOST_ID}, not ${id}`);
  return id;
}
function keptId(dataDir: string): number | undefined {
  try {
    return Number(readFileSync(join(dataDir, 'myid'), 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

/** Name and secret of the ensemble of this machine that is connected to, if it is one. */
function trustOf(servers: string): string[] {
  const { ensembles } = folders();
  for (const name of ensembleNames(ensembles)) {
    const folder = new EnsembleFolder(join(ensembles, name));
    const { host, members } = folder.read();
    const isIt = members.some(({ client }) => servers.split(/[,/]/).includes(`${host}:${client}`));
    if (isIt) return [`peer.ensembleName=${name}`, `peer.secretFile=${folder.secretFile}`];
  }
  return [];
}
