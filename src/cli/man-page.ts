import { TOPICS } from '../commands/help-topics.ts';
import { registry } from '../commands/index.ts';
import { packageVersion } from '../platform/version.ts';
import { optionsOf, placeholder, positionals, synopsis, takesDryRun } from '../shell/bind.ts';
import type { CommandSpec } from '../shell/command.ts';
import { EXIT_CODES } from '../shell/exit-codes.ts';
import { aboutOf, dryRunOption, GROUPS, optionText } from '../shell/help.ts';
import { globalOptions } from './globals.ts';
import { OUTER } from './outer.ts';

/** What zoosh reads from the environment. */
const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['ZOOSH_SERVER, ZK_SERVER', 'servers to use when none are said'],
  ['ZOOSH_PROFILE', 'as --profile'],
  ['ZOOSH_AUTH', 'as --auth'],
  ['ZOOSH_OUTPUT', 'as --output'],
  ['ZOOSH_READ_ONLY', '1: as --read-only'],
  ['ZOOSH_ASCII', '1: as --ascii'],
  ['ZOOSH_HOME', 'one folder for everything below FILES'],
  ['ZOOSH_CODE_CACHE', 'the folder of compiled code, a whole path; off: none is kept, and each start takes longer'],
  ['ZOOSH_PAGER, PAGER', 'shows what is taller than the screen; without them less -FRX'],
  ['ZOOSH_COMPLETE_LIVE', '0: Tab in the shell of the operating system asks no server'],
  ['SERVER_JVMFLAGS, JVMFLAGS, JAVA_OPTS, ZK_SERVER_HEAP', 'settings (-D) and memory of the server of a zoo.cfg'],
  [
    'ZOOCFGDIR, ZOOCFG, ZOO_LOG_DIR, ZOOPIDFILE',
    'where zoosh server finds and puts things; zoosh server --help has all',
  ],
  ['CLIENT_JVMFLAGS', 'what zkCli.sh is told about TLS'],
  ['VISUAL, EDITOR', 'for edit, and for C-x C-e at the prompt'],
  ['NO_COLOR, FORCE_COLOR', 'no colours; colours without a terminal'],
];
const FILES: readonly (readonly [string, string])[] = [
  ['~/.config/zoosh/config.json', 'settings and profiles; XDG_CONFIG_HOME moves it'],
  ['~/.config/zoosh/rc.zk', 'commands at the start of a prompt'],
  ['~/.local/state/zoosh/history', 'lines typed; XDG_STATE_HOME moves it'],
  ['~/.local/state/zoosh/trash/', 'what undo brings back'],
  ['~/.cache/zoosh/', 'names that completion has seen, for seconds, and compiled code; XDG_CACHE_HOME moves it'],
  ['~/.local/share/zoosh/ensembles/', 'ensembles on this machine; XDG_DATA_HOME moves it'],
];
const EXAMPLES: readonly (readonly [string, string])[] = [
  ['zoosh playground', 'a server of your own and a prompt on it; both end together'],
  ['zoosh zk1:2181,zk2:2181/app', 'a prompt on these servers, below /app'],
  ['zoosh zk1:2181 get /app/config', 'one command; standard output holds the data and nothing else'],
  ["zoosh zk1:2181 -c 'ls / | wc -l'", 'several commands, or a pipe into one of the operating system'],
  ['zoosh zk1:2181 deploy.zk blue', 'a script; ${1} is blue'],
];

/** Text as troff takes it: no character of it is a request, a dash is a minus, so that it can be pasted. */
const plain = (text: string): string =>
  text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/'/g, '\\(aq')
    .replace(/`/g, '\\(ga')
    .replace(/\^/g, '\\(ha')
    .replace(/~/g, '\\(ti')
    .split('\n')
    .map((line) => line.replace(/^\./, '\\&.'))
    .join('\n');
const bold = (text: string): string => `\\fB${plain(text)}\\fR`;
const entry = (term: string, text: string): string[] => ['.TP', bold(term), plain(text)];
const literal = (text: string): string[] => ['.PP', '.nf', plain(text), '.fi'];

function commandText(spec: CommandSpec): string[] {
  const { name, about, aliases = [], examples, notes = [] } = spec;
  const [, ...rest] = synopsis(spec)
    .replace(/^usage: /, '')
    .split(' ');
  const words = [
    ...positionals(spec).map(([key, param]) => [placeholder(key, param), aboutOf(param)] as const),
    ...optionsOf(spec)
      .filter(([, { hidden }]) => hidden !== true)
      .map(([key, param]) => [optionText(key, param), aboutOf(param)] as const),
    ...(takesDryRun(spec) ? [dryRunOption(spec)] : []),
  ];
  const also = aliases.length > 0 ? ` Also called ${aliases.join(', ')}.` : '';
  return [
    '.TP',
    `${bold(name)} ${plain(rest.join(' '))}`.trim(),
    plain(`${about}.${also}`),
    ...(words.length > 0 ? ['.RS', ...words.flatMap(([term, text]) => entry(term, text)), '.RE'] : []),
    ...(notes.length > 0 ? ['.IP', plain(notes.join('\n'))] : []),
    '.IP',
    `For example: ${bold(examples[0]?.[0] ?? name)}`,
  ];
}

/** The manual page, `zoosh.1`, in the man macros. */
export async function manPage(): Promise<string> {
  const options = await globalOptions();
  return [
    '.\\" Printed from the command registry and the tables by npm run generate.',
    `.TH ZOOSH 1 "" "zoosh ${packageVersion()}" "User Commands"`,
    '.SH NAME',
    'zoosh \\- a shell, a server and a client library for ZooKeeper',
    '.SH SYNOPSIS',
    ...['', 'COMMAND [ARG...]', "-c 'CMD; CMD'", 'FILE.zk [ARG...]', '- [ARG...]'].flatMap((what, at) => [
      ...(at === 0 ? [] : ['.br']),
      `.B zoosh`,
      plain(`[OPTION...] [TARGET] ${what}`.trim()),
    ]),
    ...OUTER.flatMap(({ usage }) => ['.br', '.B zoosh', plain(usage)]),
    '.SH DESCRIPTION',
    plain(
      'Without a command zoosh is a prompt on a terminal, and runs the script on its standard input elsewhere;\n' +
        'a FILE called - is standard input, too, after the commands of -c. TARGET is\n' +
        'host:port,... with an optional /chroot, or @profile. Answers go to standard output, everything else to standard error.',
    ),
    ...OUTER.flatMap(({ name, about }) => entry(name, about)),
    '.SH OPTIONS',
    'They stand before the command; after it an option is the command\\(aqs own.',
    ...options.flatMap(({ names, value, about }) => entry(`${names.join(', ')} ${value}`.trim(), about)),
    '.SH COMMANDS',
    'At the prompt, in scripts, and as one command. Every command takes \\fB\\-\\-help\\fR.',
    ...Object.entries(GROUPS).flatMap(([group, title]) => {
      const specs = registry.all.filter((spec) => spec.group === group);
      return specs.length === 0 ? [] : [`.SS ${title}`, ...specs.flatMap(commandText)];
    }),
    '.SH LANGUAGE',
    ...Object.entries(TOPICS).flatMap(([name, text]) => [`.SS ${name}`, ...literal(text).slice(1)]),
    '.SH EXIT STATUS',
    ...Object.entries(EXIT_CODES).flatMap(([code, meaning]) => entry(code, meaning)),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, about]) => entry(name, about)),
    '.SH FILES',
    ...FILES.flatMap(([name, about]) => entry(name, about)),
    '.SH EXAMPLES',
    ...EXAMPLES.flatMap(([line, about]) => entry(line, about)),
    '',
  ].join('\n');
}
