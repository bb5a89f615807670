import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { zxid } from '../base/ids.ts';
import { nodeDisk } from '../platform/disk.ts';
import { holdDirectory } from '../runtime/directory.ts';
import { loadTree } from '../runtime/load.ts';
import { REAL_PORTS } from '../runtime/node-options.ts';
import { StartError } from '../runtime/start-error.ts';
import type { EnsembleConfig, ServerConfig } from '../server/config.ts';
import { acceptLoss, type Holdings, holdingsOf } from '../storage/accept-loss.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { NOTHING_WRITTEN } from './dry-run.ts';
import { loadConfig, type Operation } from './operation.ts';
import { Safety } from './safety.ts';
import { UsageError } from './start-failures.ts';
import { isTypedByPerson } from './typed.ts';
import { showUsage } from './width.ts';

const USAGE = `usage: zoosh server [--config DIR|FILE] accept-loss [NAME] [--myid N] [--yes]
For the end of an ensemble: when no quorum of its members can ever come back, this one goes on alone with what its directory
holds. The server must not run. It becomes a new ensemble of one; what only others held is lost for good. The directories of
the old members are refused until they are emptied; the servers of zoo.cfg are added again as they come up empty.
With -n before the command it says what would be lost, and nothing is written.`;

const show = ({ hi, lo }: { readonly hi: number; readonly lo: number }): string => zxid.show(zxid.of(hi, lo >>> 0));

/** `accept-loss`. @throws Failure (30, 31) when it was not allowed */
export async function runAcceptLoss(operation: Operation): Promise<number> {
  const { values } = operation;
  if (values.help === true) {
    showUsage(USAGE);
    return 0;
  }
  // nothing irreversible is done to whatever happens to lie in the system's folder
  if ((values.config ?? process.env.ZOOCFGDIR ?? '') === '')
    throw new UsageError('server accept-loss: say of which server, by --config DIR|FILE or ZOOCFGDIR');
  const { config } = loadConfig(operation);
  const { ensemble } = config;
  if (ensemble === undefined)
    throw new StartError(43, 'this zoo.cfg is of a server alone: nobody else can have held what it lost');
  if (ensemble.role !== 'participant')
    throw new StartError(43, `server ${ensemble.sid} is an observer in zoo.cfg: make it a participant there first`);
  return run(config, ensemble, operation);
}

async function run(config: ServerConfig, ensemble: EnsembleConfig, { yes, isDry, isJson }: Operation): Promise<number> {
  const { dataDir, dataLogDir } = config;
  if (!existsSync(dataDir)) throw nothingIn(dataDir);
  const lock = await holdDirectory(dataDir);
  try {
    const holdings = await holdingsOf(nodeDisk, dataDir, dataLogDir);
    if (holdings === undefined) throw nothingIn(dataDir);
    if (holdings.identity.sid !== ensemble.sid)
      throw new StorageRefusal(
        42,
        `${dataDir} belongs to server ${holdings.identity.sid}; zoo.cfg and myid say ${ensemble.sid}`,
      );
    if (isDry) return shown(holdings, ensemble, isJson);
    const safety = new Safety({ canAsk: isTypedByPerson, yes, isProtected: () => false, profile: () => undefined });
    const details = meaning(holdings, ensemble);
    await safety.confirm({ what: what(ensemble), path: dataDir, always: true, details }, 'cluster');
    const made = await begin(config, ensemble);
    const told = { server: ensemble.sid, lastZxid: show(holdings.last.zxid), ...made };
    if (isJson) process.stdout.write(`${JSON.stringify(told)}\n`);
    else
      process.stdout.write(
        `${[
          ...(yes ? details : []),
          `server ${told.server} is an ensemble of its own now: id ${made.ensembleId}, epoch ${made.epoch}, last zxid before ${told.lastZxid}`,
          'start it as before; empty the directories of the other servers before they are started',
        ].join('\n')}\n`,
      );
    return 0;
  } finally {
    lock.release();
  }
}

const what = ({ sid }: EnsembleConfig): string =>
  `make server ${sid} an ensemble of its own, and give up what only the others hold`;

/** What it would be, for a dry run. Returns the exit code. */
function shown(holdings: Holdings, ensemble: EnsembleConfig, isJson: boolean): number {
  const told = { server: ensemble.sid, lastZxid: show(holdings.last.zxid), dryRun: true };
  const lines = [...meaning(holdings, ensemble), `would ${what(ensemble)}.${NOTHING_WRITTEN}`];
  process.stdout.write(isJson ? `${JSON.stringify(told)}\n` : `${lines.join('\n')}\n`);
  return 0;
}

/** What the last zxid says, in sentences. */
function meaning({ identity, last, committed }: Holdings, { servers, sid }: EnsembleConfig): string[] {
  const end = show(last.zxid);
  const sure = show(committed);
  const others = servers.flatMap(({ id }) => (id === sid ? [] : [id]));
  return [
    `server ${sid} of ensemble ${identity.ensembleId ?? 'unknown'} holds everything up to zxid ${end}`,
    sure === end
      ? 'all of it is known to be committed'
      : `up to ${sure} it is known to be committed; what follows may never have been acknowledged, and counts from now on`,
    `what the other members acknowledged after ${end} is lost for good`,
    `the directories of the other members${others.length === 0 ? '' : ` (server ${others.join(', ')} in zoo.cfg)`} are refused until they are emptied`,
  ];
}

async function begin(config: ServerConfig, ensemble: EnsembleConfig): Promise<{ ensembleId: string; epoch: number }> {
  const { sid } = ensemble;
  const { storage, tree, tail } = await loadTree(config, sid, false, 1, REAL_PORTS);
  try {
    const [refused] = storage.damage?.sentences ?? [];
    if (refused !== undefined) throw new StorageRefusal(44, refused);
    const { incarnation, ensembleId: succeeds } = storage.identity;
    const own = ensemble.members.find((member) => member.sid === sid);
    const { addresses = [], client = null } = own ?? {};
    const ensembleId = randomBytes(16).toString('hex');
    const epoch = await acceptLoss(storage, {
      ...{ ensembleId, succeeds },
      config: {
        members: [{ sid, role: 'participant', incarnation, addresses, client }],
        maxTxnBytes: tree.config?.maxTxnBytes ?? config.maxBufferBytes * 2,
      },
      time: Math.max(Date.now(), tail.at(-1)?.time ?? tree.time),
    });
    return { ensembleId, epoch };
  } finally {
    await storage.close();
  }
}

const nothingIn = (dataDir: string): StartError =>
  new StartError(43, `${dataDir} holds no history to go on from: a new ensemble is founded by zoosh start server`);
