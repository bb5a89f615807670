import { fourLetterWord } from '../client/connect.ts';
import { askMember } from '../ensemble/control-client.ts';
import { type Env, processRows } from '../operate/settings.ts';
import { packageVersion } from '../platform/version.ts';
import type { TlsOptions } from '../ports/network.ts';
import { readClientKeys } from '../runtime/client-keys.ts';
import type { MemberStatus } from '../runtime/control-messages.ts';
import { isLogLevel, LOG_LEVELS } from '../runtime/log.ts';
import { reportedVersion } from '../runtime/reported-version.ts';
import {
  checkConfig,
  type InForce,
  parseAssignment,
  parseJvmFlags,
  type ServerConfig,
  showOrigin,
} from '../server/config.ts';
import { clientTls } from './client-config.ts';
import { controlFailure, knownControl } from './control-words.ts';
import { loadConfig, type Operation } from './operation.ts';
import { UsageError } from './start-failures.ts';

const ANSWER_MS = 5000;
const say = (text: string): void => void process.stdout.write(text);

/** Where a server of this machine answers its clients. */
const clientAddress = ({ clientPort, clientPortAddress }: ServerConfig): { host: string; port: number } | undefined =>
  clientPort === undefined ? undefined : { host: clientPortAddress ?? 'localhost', port: clientPort };

const secureAddress = ({
  secureClientPort: port,
  secureClientPortAddress: host,
}: ServerConfig): { host: string; port: number } | undefined =>
  port === undefined ? undefined : { host: host ?? 'localhost', port };
/**
 * As CLIENT_JVMFLAGS say, those of the folder's shell files too, or with the server's own certificate: whose answer it is, is
 * known by where it comes from.
 */
async function ownTls({ clientTls: tls }: ServerConfig, env: Env): Promise<TlsOptions | undefined> {
  const said = clientTls(parseJvmFlags(env.CLIENT_JVMFLAGS ?? '', 'CLIENT_JVMFLAGS'));
  // it asks its own machine, where no certificate need be made out to the address
  if (said !== undefined || tls === undefined) return said && { ...said, anyName: true };
  const { keys } = await readClientKeys(tls, Date.now());
  return { insecure: true, cert: keys.chain, key: keys.key };
}

/** Where, and how, a server of this machine answers four-letter words; undefined: nowhere. @throws Error where its keys cannot be read */
export async function wordPlace(
  config: ServerConfig,
  env: Env,
): Promise<{ host: string; port: number; tls?: TlsOptions } | undefined> {
  const plain = clientAddress(config);
  const secure = secureAddress(config);
  if (plain !== undefined || secure === undefined) return plain;
  const tls = await ownTls(config, env);
  return { ...secure, ...(tls && { tls }) };
}

/** `status`. */
export async function status(operation: Operation): Promise<number> {
  const { config: loaded, control } = loadConfig(operation);
  const plain = clientAddress(loaded);
  const at = plain ?? secureAddress(loaded);
  if (at === undefined) {
    say('Unable to find either secure or unsecure client port in any configs. Terminating.\n');
    return 1;
  }
  const { host, port } = at;
  const isTls = plain === undefined;
  if (!operation.isJson) say(`Client port found: ${port}. Client address: ${host}. Client SSL: ${isTls}.\n`);
  const tls = isTls ? await ownTls(loaded, operation.env) : undefined;
  let why = 'it closed the connection';
  const asked = { host, port, timeoutMs: ANSWER_MS, ...(tls && { tls }) };
  const answer = await fourLetterWord('srvr', asked).catch((error: unknown) => {
    why = (error as Error).message;
    return '';
  });
  const heard = /^Mode: (\S+)/m.exec(answer)?.[1];
  // a port may turn this command away (its certificate, too many from here) and serve everybody else: the socket knows
  const own = answer === '' ? await ownWord(control) : undefined;
  const mode = heard ?? (own?.serving === true && !own.faults.clientsCut ? own.role : undefined);
  const refused = mode === undefined || heard !== undefined ? undefined : why;
  // scripts around Apache's words know these two sentences
  const waits = mode === undefined && !operation.isApache && (answer !== '' || own !== undefined);
  if (operation.isJson)
    say(
      `${JSON.stringify({ host, port, mode: mode ?? null, ...(waits && { waits }), ...(refused && { refused }) })}\n`,
    );
  else if (waits) say('It runs and does not serve yet: it has no quorum, or is starting.\n');
  else say(mode === undefined ? 'Error contacting service. It is probably not running.\n' : `Mode: ${mode}\n`);
  if (refused !== undefined)
    process.stderr.write(
      `warning: ${addressOf(at)} does not let this command in (${refused}); the server itself says so\n`,
    );
  else if (isTls && answer === '') process.stderr.write(`${addressOf(at)}: ${why}\n`);
  return mode === undefined ? 1 : 0;
}

const addressOf = ({ host, port }: { host: string; port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** What a server says of itself over its control socket; undefined where none answers. */
const ownWord = (control: string | undefined): Promise<MemberStatus | undefined> =>
  control === undefined ? Promise.resolve(undefined) : askMember(control, { op: 'status' }).catch(() => undefined);

/** `version`: as Apache's, whose readers take the fourth word for the number. */
export async function version({ isApache }: Operation): Promise<number> {
  const reported = reportedVersion(checkConfig([parseAssignment('dataDir=/', 'version')]));
  say(
    isApache
      ? `Apache ZooKeeper, version ${reported.replace(', built on', '')}\n`
      : `zoosh ${packageVersion()}, as ZooKeeper ${reported}\n`,
  );
  return 0;
}

/** `config`: every setting, as given or by default, and who said it. Secrets are hidden. */
export async function config(operation: Operation): Promise<number> {
  const { config: checked, gathered } = loadConfig(operation);
  const rows = [...checked.inForce, ...processRows(gathered)];
  if (operation.isJson) {
    const told = rows.map(({ key, value, from }) => ({
      key,
      value,
      from: from === undefined ? null : showOrigin(from),
    }));
    say(`${JSON.stringify({ settings: told, notes: [...gathered.notes, ...checked.notes] })}\n`);
    return 0;
  }
  say(configText(rows));
  for (const note of [...gathered.notes, ...checked.notes]) process.stderr.write(`note: ${note}\n`);
  return 0;
}

/** A file that says the same; who said it stands behind each. */
export function configText(rows: readonly InForce[]): string {
  const lines = rows.map(({ key, value, from }) => ({ text: `${key}=${value}`, from }));
  const width = Math.min(48, Math.max(0, ...lines.map(({ text }) => text.length)));
  return lines
    .map(({ text, from }) => `${text.padEnd(width)}  # ${from === undefined ? 'default' : showOrigin(from)}\n`)
    .join('');
}

/** `log-level [LEVEL]`, of a server that runs. */
export async function logLevel(operation: Operation): Promise<number> {
  const { word } = operation;
  if (word !== undefined && !isLogLevel(word))
    throw new UsageError(`no log level ${word}; there are ${LOG_LEVELS.join(', ')}`);
  const control = knownControl(operation.values.control ?? loadConfig(operation).control);
  try {
    const { level } = await askMember(control, word === undefined ? { op: 'log' } : { op: 'log', level: word });
    say(operation.isJson ? `${JSON.stringify({ level })}\n` : `${level}\n`);
    return 0;
  } catch (error) {
    throw controlFailure('no server answers', control, error);
  }
}
