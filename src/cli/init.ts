/** `zoosh init`: questions whose answers become a profile, tried before it is kept. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolders } from '../base/make-folders.ts';
import { connect } from '../client/connect.ts';
import { type Folders, folders, homeHere } from '../config/folders.ts';
import type { Profile } from '../config/profiles.ts';
import { isReference } from '../config/secrets.ts';
import { visibleLine } from '../out/data.ts';
import { PROMPT_COLORS } from '../shell/colors.ts';
import { failureOf, usage } from '../shell/failure.ts';
import { keptFile, keptReference } from '../shell/profile-files.ts';
import { nameFault } from '../shell/settings.ts';
import { plural } from '../shell/units.ts';
import { askChoice, askHidden, askText, askYesNo } from './ask.ts';
import { completionScript, type OsShell, SHELLS } from './completion-scripts.ts';
import { refuseDryRun } from './dry-run.ts';
import type { Globals } from './globals.ts';
import { profilesOf } from './host.ts';
import { readOptions } from './options.ts';
import { type TargetSources, targetOf } from './targets.ts';
import { showUsage } from './width.ts';

export const INIT_USAGE = `usage: zoosh init
       zoosh init --server LIST [--auth SCHEME:CRED] [--tls-ca FILE] [--profile NAME] [--color COLOR] [--protect] [--default] --yes
Makes a profile: servers, login and a name, by questions, one after the other, or from what is said.
CRED may be env:VAR, file:F or cmd:CMD. The servers are tried before the profile is kept.`;

const OPTIONS = {
  server: { type: 'string' },
  auth: { type: 'string', multiple: true },
  'tls-ca': { type: 'string' },
  profile: { type: 'string' },
  color: { type: 'string' },
  protect: { type: 'boolean' },
  default: { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** What is to be kept, and how it is called. */
interface Answers {
  readonly name: string;
  readonly profile: Profile;
  readonly isDefault: boolean;
}

/** @throws Failure (2) for flags that do not fit, (3, 4) when the servers cannot be used, (31) when the user leaves */
export async function runInit(words: readonly string[], globals: Globals): Promise<number> {
  const values = parse(words);
  if (values.help === true) {
    showUsage(INIT_USAGE);
    return 0;
  }
  refuseDryRun('init', globals);
  const places = folders();
  const { profiles } = profilesOf(globals, places);
  const sources: TargetSources = { globals, profiles, configFile: places.configFile, env: process.env };
  const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const says = values.yes === true || globals.yes === true;
  if (!isTerminal && !says)
    throw usage(
      'init asks questions, and nobody is there to answer them',
      'say it all: zoosh init --server LIST [--auth SCHEME:CRED] [--tls-ca FILE] [--profile NAME] [--protect] [--default] --yes',
    );
  const answers = says ? fromFlags(values) : await ask(values, sources, places);
  if (says) say(await tried(answers.profile, sources));
  if (says && profiles.has(answers.name))
    say(`the profile @${answers.name} that was there is replaced: ${profiles.get(answers.name).server}`);
  profiles.add(answers.name, answers.profile);
  if (answers.isDefault) profiles.setDefault(answers.name);
  say(`profile @${answers.name} is kept in ${places.configFile}`);
  if (!says) await offerCompletion();
  const target = answers.isDefault ? '' : ` @${answers.name}`;
  const next = [`zoosh${target}`, `zoosh${target} ls /`, 'zoosh help'];
  const width = Math.max(...next.map((line) => line.length));
  for (const [at, what] of ['a prompt', 'one command', 'what there is'].entries())
    say(`${at === 0 ? 'next:' : '     '}  ${(next[at] as string).padEnd(width)}  ${what}`);
  return 0;
}

function parse(words: readonly string[]) {
  try {
    return readOptions({ args: [...words], options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw usage(`init: ${(error as Error).message}`, 'zoosh init --help');
  }
}

const say = (line: string): void => void process.stderr.write(`${visibleLine(line)}\n`);

const authOf = (text: string): NonNullable<Profile['auth']>[number] => {
  const colon = text.indexOf(':');
  if (colon <= 0) throw usage(`--auth is SCHEME:CRED, not ${text}`, 'for example digest:env:ZK_AUTH');
  const [scheme, cred] = [text.slice(0, colon), text.slice(colon + 1)];
  return isReference(cred) ? { scheme, from: keptReference(cred, 'init: --auth') } : { scheme, cred };
};

function fromFlags(values: ReturnType<typeof parse>): Answers {
  const { server, auth = [], profile = 'default', color, protect, 'tls-ca': ca } = values;
  if (server === undefined) throw usage('init: --server LIST is missing', 'zoosh init --help');
  return {
    name: profile,
    isDefault: values.default === true,
    profile: {
      server,
      ...(auth.length > 0 && { auth: auth.map(authOf) }),
      ...(ca !== undefined && { tls: { ca: keptFile(ca, 'init: --tls-ca') } }),
      ...(color !== undefined && { color }),
      ...(protect === true && { protect: true }),
    },
  };
}

/** Connects and says to what. @throws Failure (2, 3, 4) */
async function tried(profile: Profile, sources: TargetSources): Promise<string> {
  const name = 'init';
  const { server, options } = targetOf(`@${name}`, {
    ...sources,
    profiles: Object.assign(Object.create(sources.profiles) as typeof sources.profiles, { get: () => profile }),
  });
  const client = await connect(server, options);
  try {
    const { children } = await client.getChildren('/');
    return `connected to ${client.server}; / has ${plural(children.length, 'child', 'children')}`;
  } finally {
    await client.close();
  }
}

async function ask(values: ReturnType<typeof parse>, sources: TargetSources, places: Folders): Promise<Answers> {
  const fault = values.profile === undefined ? undefined : nameFault(values.profile);
  if (fault !== undefined) throw usage(`init: ${fault}`); // before a server is started for it
  const own = values.server === undefined ? await whichServers(places) : { server: values.server };
  try {
    return await askAbout(own, values, sources);
  } catch (error) {
    // what was started for a profile that is not kept is nobody's
    if (own.pid !== undefined) {
      process.kill(own.pid);
      say(
        `the server that was started (process ${own.pid}) is stopped; its data stays in ${join(places.data, 'standalone')}`,
      );
    }
    throw error;
  }
}

async function askAbout(own: Found, values: ReturnType<typeof parse>, sources: TargetSources): Promise<Answers> {
  let { server } = own;
  let profile: Profile = { server };
  for (;;) {
    // one that we have just started has neither TLS nor logins
    profile = own.pid === undefined ? { ...(await loginAnd()), server } : { server };
    try {
      say(await tried(profile, sources));
      break;
    } catch (error) {
      const { message, lines } = failureOf(error);
      say(`it does not work: ${message}`);
      for (const line of lines) say(` ${line}`);
      if (!(await askYesNo('Try something else?'))) break;
      server = (await askText(`Servers (host:port,...; empty: ${server}):`)) || server;
    }
  }
  const name = values.profile ?? (await askName(sources));
  const said = values.color ?? (await askColor());
  const protect = values.protect ?? (await askYesNo('Ask before changes, as for production?'));
  const color = said ?? (protect ? 'red' : undefined);
  const isDefault = values.default ?? (await askYesNo('Use it when nothing else is said?'));
  return {
    name,
    isDefault,
    profile: { ...profile, ...(color !== undefined && { color }), ...(protect && { protect: true }) },
  };
}

/** Undefined: as it is otherwise. */
async function askColor(): Promise<string | undefined> {
  const usual = { value: '', about: 'the usual one' };
  const color = await askChoice('Colour of its prompt?', [
    usual,
    ...PROMPT_COLORS.map((value) => ({ value, about: value })),
  ]);
  return color === '' ? undefined : color;
}

/** One that is there is not replaced unasked. */
async function askName({ profiles }: TargetSources): Promise<string> {
  for (;;) {
    const name = (await askText('A name for it (prod, test, ...; empty: local):')) || 'local';
    const fault = nameFault(name);
    if (fault !== undefined) say(fault);
    else if (!profiles.has(name) || (await askYesNo(`There is a profile ${name} already. Put this in its place?`)))
      return name;
  }
}

/** Servers, and the process of one that was started for this. */
interface Found {
  readonly server: string;
  readonly pid?: number;
}

async function whichServers(places: Folders): Promise<Found> {
  const what = await askChoice('What is there?', [
    { value: 'connect', about: 'servers that run already' },
    { value: 'start', about: 'nothing yet: start one here' },
  ]);
  if (what === 'connect')
    return { server: (await askText('Servers (host:port,...; empty: localhost:2181):')) || 'localhost:2181' };
  const { startDetached } = await import('./detach.ts');
  const data = join(places.data, 'standalone');
  const log = join(places.state, 'log', 'standalone.log');
  const started = await startDetached(['standalone', '--data', data], {
    log,
    server: '127.0.0.1:2181',
    isMember: false,
  });
  if (typeof started === 'number') throw usage('the server did not start', `its log is ${log}`);
  say(`started ${started.server} (process ${started.pid}, data in ${data}); kill ${started.pid} stops it`);
  return { server: started.server, pid: started.pid };
}

/** TLS and a login, as far as they are wanted. */
async function loginAnd(): Promise<Omit<Profile, 'server'>> {
  const out: { -readonly [K in keyof Profile]?: Profile[K] } = {};
  if (await askYesNo('Do the servers speak TLS?')) {
    const ca = await askText('File of the authority to trust (PEM; empty: that of the system):');
    out.tls = ca === '' ? {} : { ca: keptFile(ca, 'the authority') };
  }
  if (await askYesNo('Do you log in?')) {
    const cred = await askHidden('user:password, or where it is: env:VAR, file:F, cmd:CMD');
    out.auth = [
      isReference(cred)
        ? { scheme: 'digest', from: keptReference(cred, 'the credential') }
        : { scheme: 'digest', cred },
    ];
  }
  return out;
}

/** Where each shell looks for completion scripts of a user. */
const PLACES: Readonly<Record<OsShell, readonly string[]>> = {
  bash: ['.local', 'share', 'bash-completion', 'completions', 'zoosh'],
  zsh: ['.zsh', 'completions', '_zoosh'],
  fish: ['.config', 'fish', 'completions', 'zoosh.fish'],
};

async function offerCompletion(): Promise<void> {
  const shell = SHELLS.find((name) => name === basename(process.env.SHELL ?? ''));
  if (shell === undefined || !(await askYesNo(`Install completion for ${shell}?`))) return;
  const file = join(homeHere(), ...PLACES[shell]);
  makeFolders(dirname(file), { mkdirSync, statSync });
  writeFileSync(file, completionScript(shell));
  say(`completion is in ${file}`);
  if (shell === 'zsh') say(' zsh finds it with this in ~/.zshrc, before compinit: fpath=(~/.zsh/completions $fpath)');
}
