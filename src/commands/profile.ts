import { ConnectStringError, parseConnectString } from '../client/connect-string.ts';
import type { Profile } from '../config/profiles.ts';
import { PROMPT_COLORS } from '../shell/colors.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import { refuseHidden } from '../shell/hidden.ts';
import type { Output } from '../shell/output.ts';
import { keptFile, keptReference } from '../shell/profile-files.ts';
import { parseTimed } from '../shell/units.ts';

/** Targets with names. */
export default command({
  name: 'profile',
  group: 'session',
  about: 'keep servers and credentials under a name',
  risk: 'read',
  params: {
    action: { kind: 'enum', about: 'what to do', values: ['list', 'show', 'add', 'rm', 'default'], optional: true },
    name: { kind: 'profile', about: 'the profile', optional: true },
    server: { kind: 'target', about: 'for add: host:port,... with an optional /chroot', optional: true },
    auth: {
      kind: 'text',
      long: '--auth',
      about: 'SCHEME:CRED; CRED may be env:VAR, file:F or cmd:CMD',
      many: true,
      placeholder: 'CRED',
    },
    timeout: { kind: 'text', long: '--timeout', about: 'session timeout, e.g. 20s', placeholder: 'DUR' },
    color: { kind: 'enum', long: '--color', about: 'colour of the prompt', values: PROMPT_COLORS },
    protect: { kind: 'flag', long: '--protect', about: 'ask before changes' },
    readOnly: { kind: 'flag', long: '--read-only', about: 'refuse changes' },
    ca: { kind: 'file', long: '--tls-ca', about: 'PEM file of the authority; turns TLS on' },
    replace: { kind: 'flag', long: '--replace', about: 'in place of one that is there, with all it says' },
  },
  examples: [
    ['profile list', 'all of them'],
    ['profile add prod zk1:2181,zk2:2181/app --protect --auth digest:env:ZK_AUTH', 'a new one'],
    ['profile default prod', 'used when nothing else is said'],
  ],
  exits: [11],
  exitsHere: { 11: 'there is another profile of that name, and no --replace' },
  notes: [
    'Files must be there and are kept under their whole names. In a config.json that was written by hand relative names, those behind',
    'file: among them, begin at its folder.',
  ],
  keeps: ({ action = 'list' }) => (action === 'list' || action === 'show' ? undefined : `profile ${action}`),
  async run(values, context): Promise<Output> {
    const { action = 'list', name } = values;
    if (action === 'list') return list(context);
    if (name === undefined) throw usage(`profile ${action}: NAME is missing`);
    const bare = name.replace(/^@/, '');
    const { profiles } = context;
    if (action === 'show') {
      const shown = hideSecrets(profiles.get(bare));
      return {
        type: 'fields',
        fields: Object.entries(shown).map(([key, value]) => [key, textOf(value)] as const),
        json: shown,
      };
    }
    if (action === 'rm') profiles.remove(bare);
    else if (action === 'default') profiles.setDefault(bare);
    else {
      if (!values.replace && profiles.has(bare) && !isSame(profiles.get(bare), made(values)))
        throw new Failure(11, 'ProfileExists', `there is a profile ${bare} already`, {
          hint: `profile show ${bare} shows it; --replace puts this in its place`,
        });
      profiles.add(bare, made(values));
    }
    const text =
      { rm: `removed @${bare}`, default: `@${bare} is the default now`, add: `added @${bare}` }[action] ?? '';
    return { type: 'done', text, json: { profile: bare, action } };
  },
});

const isSame = (a: Profile, b: Profile): boolean => {
  const text = (profile: Profile): string =>
    JSON.stringify(Object.entries(profile).sort(([x], [y]) => (x < y ? -1 : 1)));
  return text(a) === text(b);
};

interface Given {
  readonly server: string | undefined;
  readonly auth: readonly string[];
  readonly timeout: string | undefined;
  readonly color: string | undefined;
  readonly protect: boolean;
  readonly readOnly: boolean;
  readonly ca: string | undefined;
}

function made({ server, auth, timeout, color, protect, readOnly, ca }: Given): Profile {
  if (server === undefined) throw usage('profile add: SERVER is missing', 'profile add NAME HOST:PORT');
  try {
    parseConnectString(server);
  } catch (error) {
    throw error instanceof ConnectStringError ? usage(`profile add: ${error.message}`) : error;
  }
  if (timeout !== undefined && parseTimed(timeout, 'profile add: --timeout') === 0)
    throw usage('profile add: --timeout is more than 0');
  return {
    server,
    ...(auth.length > 0 && { auth: auth.map(credential) }),
    ...(timeout !== undefined && { timeout }),
    ...(color !== undefined && { color }),
    ...(protect && { protect }),
    ...(readOnly && { readOnly }),
    ...(ca !== undefined && { tls: { ca: keptFile(ca, 'profile add: --tls-ca') } }),
  };
}

function credential(text: string): { scheme: string; cred?: string; from?: string } {
  const colon = text.indexOf(':');
  if (colon <= 0) throw usage('a credential is SCHEME:CRED, for example digest:env:ZK_AUTH');
  const [scheme, rest] = [text.slice(0, colon), text.slice(colon + 1)];
  refuseHidden(rest);
  if (!/^(?:env|file|cmd):/.test(rest)) return { scheme, cred: rest };
  return { scheme, from: keptReference(rest, 'profile add: --auth') };
}

const hideSecrets = (profile: Profile): Record<string, unknown> => ({
  ...profile,
  ...(profile.auth !== undefined && {
    auth: profile.auth.map(({ scheme, cred, from }) => ({
      scheme,
      ...(cred !== undefined ? { cred: '****' } : { from }),
    })),
  }),
});
/** A value in words: `digest from env:ZK_AUTH`, `ca ca.pem`. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  if (typeof value !== 'object' || value === null) return value === true ? 'yes' : String(value);
  const { scheme, ...rest } = value as Record<string, unknown>;
  const words = Object.entries(rest).map(([name, each]) => `${name === 'cred' ? '' : `${name} `}${textOf(each)}`);
  return [...(scheme === undefined ? [] : [String(scheme)]), words.join(', ')].join(' ');
}

function list({ profiles, session }: CommandContext): Output {
  const all = profiles.list();
  return {
    type: 'table',
    columns: [{ name: 'name' }, { name: 'server' }, { name: 'notes' }],
    rows: all.map(({ name, profile, isDefault }) => [
      name,
      profile.server,
      [
        isDefault && 'default',
        session.profile === name && 'in use',
        profile.protect && 'protected',
        profile.readOnly && 'read-only',
      ]
        .filter((note) => typeof note === 'string')
        .join(', '),
    ]),
    json: all.map(({ name, profile, isDefault }) => ({ name, default: isDefault, ...hideSecrets(profile) })),
  };
}
