import { basename } from 'node:path';
import { cannotShow, usage } from '../shell/failure.ts';
import { TAKES_VALUE } from './legacy.ts';
import { isTarget } from './targets.ts';

/** What zkCli was asked for. */
export interface CompatWish {
  readonly version: '3.8' | '3.10';
  /** Banner and session events, too. */
  readonly exact: boolean;
  readonly server?: string;
  /** As typed. */
  readonly timeout?: string;
  readonly clientConfig?: string;
  readonly readOnly: boolean;
  readonly waits: boolean;
  /** Options whose value is missing; zkCli says so and goes on. */
  readonly incomplete: readonly string[];
  /** Our own options among them. */
  readonly ours: readonly string[];
  /** The command; none means lines from standard input. */
  readonly words: readonly string[];
}

const WITH_VALUE: Readonly<Record<string, 'server' | 'timeout' | 'clientConfig'>> = {
  '-server': 'server',
  '-timeout': 'timeout',
  '-client-configuration': 'clientConfig',
};
const WORDS = /^(zkcli|zkcli-exact)(?:=(3\.8|3\.10))?$/;
const OWN_FLAGS = new Set(['--tls', '--tls-insecure', '--no-config', '--no-history', '--read-only', '--ascii', '-r']);

/**
 * Whether this is to be zkCli: called by that name, told so by `--compat`, or spoken to with zkCli's options where no
 * person types at a prompt. @throws Failure (2) for a `--compat` there is not, (30) for a dry run of it
 */
export function compatWish(program: string, argv: readonly string[], isTerminal: boolean): CompatWish | undefined {
  // only who says --compat speaks our language: to zkCli HOST:PORT is a command it does not know
  const said = scan(argv, true);
  const { found, incomplete, ours, compat, isLegacy, isDry, waits, words } =
    said.compat === undefined ? scan(argv, false) : said;
  const isNamed = /^zkCli(?:\.sh)?$/.test(basename(program));
  if (compat === undefined && !isNamed && !(isLegacy && (words.length > 0 || !isTerminal))) return undefined;
  // -n is none of zkCli's words: behind its own name it is skipped, as zkCli does, before --compat it was said to us
  if (isDry && !isNamed) throw cannotShow('zkCli');
  const match = compat === undefined ? ['', 'zkcli', undefined] : WORDS.exec(compat);
  if (match === null) throw usage(`--compat is zkcli or zkcli-exact, perhaps with =3.8 or =3.10, not ${compat}`);
  const [, mode, version = '3.10'] = match;
  return {
    version: version as CompatWish['version'],
    exact: mode === 'zkcli-exact',
    ...found,
    readOnly: ours.includes('-r'),
    waits,
    incomplete,
    ours,
    words,
  };
}

/** Takes the options before the command apart; `withTarget`: a TARGET may stand among them. */
function scan(argv: readonly string[], withTarget: boolean) {
  const found: Partial<Record<'server' | 'timeout' | 'clientConfig', string>> = {};
  const incomplete: string[] = [];
  const ours: string[] = [];
  let compat: string | undefined;
  let isLegacy = false;
  let isDry = false;
  let waits = false;
  let target: string | undefined;
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at] as string;
    if (!word.startsWith('-')) {
      if (!withTarget || target !== undefined || !isTarget(word) || word.startsWith('local/')) break;
      target = word;
      continue;
    }
    const key = WITH_VALUE[word];
    if (key !== undefined) {
      isLegacy = true;
      const value = argv[at + 1];
      if (value === undefined) incomplete.push(word);
      else found[key] = value;
      at++;
    } else if (word === '-waitforconnection') {
      isLegacy = true;
      waits = true;
    } else if (word === '--dry-run' || (word === '-n' && compat === undefined)) isDry = true;
    else if (word === '--compat') compat = argv[++at] ?? '';
    else if (word.startsWith('--compat=')) compat = word.slice('--compat='.length);
    else if (TAKES_VALUE.has(word)) {
      ours.push(word);
      if (argv[at + 1] !== undefined) ours.push(argv[++at] as string);
    } else if (OWN_FLAGS.has(word) || /^(?:--[\w-]+=|-D.)/.test(word)) ours.push(word);
    // anything else zkCli skips without a word
  }
  if (target?.startsWith('@')) ours.push('--profile', target.slice(1));
  else if (target !== undefined) found.server ??= target;
  return { found, incomplete, ours, compat, isLegacy, isDry, waits, words: argv.slice(at) };
}
