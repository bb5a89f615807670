/** zkCli's ways into the shell: one command, lines from a pipe, a prompt with our editor. */
import { existsSync, readFileSync } from 'node:fs';
import { type Client, ConnectError, type StateChange } from '../client/api.ts';
import { connect } from '../client/connect.ts';
import { registry } from '../commands/index.ts';
import { folders } from '../config/folders.ts';
import { isDumb, saysAscii } from '../out/theme.ts';
import { packageVersion } from '../platform/version.ts';
import type { Setting } from '../server/config.ts';
import { ReadOnlyClient } from '../shell/changes.ts';
import { registryOf } from '../shell/command.ts';
import { complete } from '../shell/complete.ts';
import { Failure } from '../shell/failure.ts';
import { PathSource } from '../shell/path-source.ts';
import { ZkShell } from '../zkcli/shell.ts';
import { usageLine } from '../zkcli/texts.ts';
import { clientTls } from './client-config.ts';
import { clientFlags, clientLogin } from './client-login.ts';
import { completionPorts } from './completion-ports.ts';
import { type Globals, parseGlobals } from './globals.ts';
import { profilesOf } from './host.ts';
import { chooseTarget, type TargetSources, targetOf } from './targets.ts';
import type { CompatWish } from './zkcli-argv.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

/** Java's exception where zkCli has one before there is a shell. */
class Fatal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
const crash = (what: string): Fatal => new Fatal(1, `Exception in thread "main" java.${what}`);

/** Where it reads and writes. */
export interface ZkStreams {
  out(text: string): void;
  err(text: string): void;
  lines(): AsyncIterable<string>;
  /** Somebody types. */
  readonly isPrompt: boolean;
}

const PROCESS: ZkStreams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  async *lines() {
    const { createInterface } = await import('node:readline');
    yield* createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  },
  get isPrompt() {
    return process.stdin.isTTY === true && process.stdout.isTTY === true;
  },
};

/** Runs as zkCli; the exit code. */
export async function runZkcli(wish: CompatWish, streams: ZkStreams = PROCESS): Promise<number> {
  try {
    return await run(wish, streams);
  } catch (error) {
    if (!(error instanceof Fatal)) throw error;
    streams.err(`${error.message}\n`);
    return error.status;
  }
}

async function run(wish: CompatWish, streams: ZkStreams): Promise<number> {
  const { globals } = await parseGlobals(wish.ours);
  const places = folders();
  const { profiles, settings } = profilesOf(globals, places);
  const { clientConfig } = wish;
  const sources: TargetSources = {
    globals: clientConfig === undefined ? globals : { ...globals, clientConfig },
    profiles,
    configFile: places.configFile,
    env: process.env,
  };
  const server = wish.server ?? globals.server ?? chooseTarget(undefined, sources).server;
  for (const option of wish.incomplete) streams.err(`Error: no argument found for option ${option}\n`);
  if (wish.exact) streams.out(`Connecting to ${server}\n`);
  const timeoutMs = timeoutOf(wish);
  checkTarget(server);
  const flags = clientFlags(process.env, globals.define);
  const tls = clientConfig === undefined ? clientTls(flags) : configOf(flags, clientConfig, wish.version);
  clientLogin(flags, clientConfig); // what is wrong with it is said before there is a shell
  const isPrompt = wish.words.length === 0 && streams.isPrompt;
  let held: ((text: string) => void) | undefined;
  const shell = new ZkShell(
    {
      out: (text) => (held ?? streams.out)(text),
      err: (text) => streams.err(text),
      readFile: (file) => readFileSync(file, 'utf8'),
      connect: (target, onState) => begin(target, onState),
    },
    { version: wish.version, exact: wish.exact, target: server, programVersion: packageVersion() },
  );
  const begin = async (target: string, onState: (change: StateChange) => void): Promise<Client> => {
    const { options } = targetOf(target, sources);
    const client = await connect(target, {
      ...options,
      timeoutMs,
      connectTimeoutMs: wish.waits ? timeoutMs : globals.connectTimeout,
      ...(tls !== undefined && { tls }),
      lazy: isPrompt,
      onState,
    });
    return isReadOnly(globals) ? new ReadOnlyClient(client) : client;
  };
  shell.connect();
  if (wish.waits) await firstOf(shell);
  try {
    if (isPrompt) {
      await prompt(shell, (take) => {
        held = take;
      });
    } else if (wish.words.length > 0) await shell.run(wish.words);
    else {
      if (wish.exact) streams.out('Welcome to ZooKeeper!\nJLine support is disabled\n');
      for await (const line of streams.lines()) {
        await shell.line(line);
        if (shell.isOver) break;
      }
    }
    return shell.exitCode;
  } finally {
    await shell.end();
  }

  async function prompt(zk: ZkShell, hold: (take: ((text: string) => void) | undefined) => void): Promise<void> {
    const { Editor } = await import('../editor/editor.ts');
    const { FileHistory } = await import('../editor/history-file.ts');
    const { MemoryHistory } = await import('../editor/memory-history.ts');
    const history = globals.history
      ? new FileHistory({
          file: places.historyFile,
          context: () => ({ profile: '', cwd: '/' }),
          warn: (line) => process.stderr.write(`${line}\n`),
          kept: 10_000,
          trimAt: 12_000,
        })
      : new MemoryHistory();
    const paths = new PathSource(
      () => (zk.client === undefined ? undefined : Promise.resolve(zk.client)),
      () => performance.now(),
    );
    const own = registryOf(registry.all.filter(({ name }) => usageLine(name, wish.version) !== undefined));
    const editor = new Editor({
      input: process.stdin,
      output: process.stdout,
      color: false,
      plain: () => isDumb(process.env) || saysAscii(globals.ascii, process.env),
      history,
      host: {
        prompt: () => `[zk: ${zk.target}(${STATES[zk.state]}) ${zk.count}] `,
        continuation: '',
        isComplete: () => true,
        complete: (text, cursor, again) => {
          const ports = completionPorts({
            cwd: '/',
            paths,
            profiles,
            settings,
            client: zk.client,
            variables: [],
            target: '',
          });
          return complete(text, cursor, again, { ...ports, registry: own });
        },
      },
    });
    editor.onInterrupt = () => {};
    try {
      process.stdout.write('Welcome to ZooKeeper!\n');
      while (!zk.isOver) {
        hold((text) => editor.printAbove(text));
        const result = await editor.readLine();
        hold(undefined);
        if (result.type === 'eof') break;
        if (result.type === 'line') await zk.line(result.text);
      }
    } finally {
      hold(undefined);
      editor.close();
    }
  }
}

const isReadOnly = ({ readOnly }: Globals): boolean => readOnly === true || process.env.ZOOSH_READ_ONLY === '1';

const STATES: Readonly<Record<ZkShell['state'], string>> = {
  connecting: 'CONNECTING',
  suspended: 'CONNECTING',
  connected: 'CONNECTED',
  connectedReadOnly: 'CONNECTEDREADONLY',
  expired: 'CLOSED',
  closed: 'CLOSED',
  authFailed: 'AUTH_FAILED',
};

function timeoutOf({ timeout }: CompatWish): number {
  if (timeout === undefined) return DEFAULT_TIMEOUT_MS;
  if (!/^\d{1,9}$/.test(timeout)) throw crash(`lang.NumberFormatException: For input string: "${timeout}"`);
  return Number(timeout);
}

/** What Java says of a connect string it cannot read. @throws Fatal */
function checkTarget(text: string): void {
  const slash = text.indexOf('/');
  const chroot = slash < 0 ? '' : text.slice(slash);
  if (chroot.length > 1 && chroot.endsWith('/'))
    throw crash('lang.IllegalArgumentException: Path must not end with / character');
  for (const host of (slash < 0 ? text : text.slice(0, slash)).split(',')) {
    const port = /^(?:\[[^\]]*\]|[^:]*):([^:]*)$/.exec(host)?.[1];
    if (port === undefined || port === '') continue;
    if (!/^\d+$/.test(port)) throw crash(`lang.NumberFormatException: For input string: "${port}"`);
    if (Number(port) > 65_535) throw crash(`lang.IllegalArgumentException: port out of range:${port}`);
  }
}

/** @throws Fatal (2) */
function configOf(
  flags: readonly Setting[],
  file: string,
  version: CompatWish['version'],
): ReturnType<typeof clientTls> {
  try {
    return clientTls(flags, file);
  } catch (error) {
    const name =
      version === '3.8'
        ? 'org.apache.zookeeper.server.quorum.QuorumPeerConfig$ConfigException'
        : 'org.apache.zookeeper.common.ConfigException';
    const cause =
      error instanceof Failure && !existsSync(file)
        ? `java.lang.IllegalArgumentException: ${file} file is missing`
        : `java.lang.IllegalArgumentException: ${(error as Error).message}`;
    throw new Fatal(2, `${name}: Error while processing ${file}\nCaused by: ${cause}`);
  }
}

/** `-waitforconnection` @throws Fatal (1) */
async function firstOf(shell: ZkShell): Promise<void> {
  try {
    await shell.connected();
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const loss = 'org.apache.zookeeper.KeeperException$ConnectionLossException: KeeperErrorCode = ConnectionLoss';
    throw crash(`io.IOException: ${loss}\nCaused by: ${loss}`);
  }
}
