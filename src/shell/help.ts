import { optionsOf, placeholder, positionals, synopsis, takesDryRun } from './bind.ts';
import type { CommandSpec, Param } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';
import { choice } from './units.ts';

/** Groups in the order in which people meet them, and their titles. */
export const GROUPS: Readonly<Record<CommandSpec['group'], string>> = {
  read: 'Look',
  write: 'Change',
  watch: 'Watch',
  acl: 'ACLs and quotas',
  session: 'Session',
  shell: 'Shell',
  transaction: 'Transactions',
  bulk: 'Bulk',
  coordination: 'Coordination',
  admin: 'Ensemble',
  server: 'Servers',
};

/** Lines of two columns, the first as wide as its longest. */
function columns(rows: readonly (readonly [string, string])[], indent = '  '): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${indent}${left.padEnd(width)}  ${right}`.trimEnd());
}

/** `-v, --version N` */
export function optionText(key: string, param: Param): string {
  const names = [param.short, param.long].filter((name) => name !== undefined).join(', ');
  return param.kind === 'flag' ? names : `${names} ${placeholder(key, param)}`;
}

/** What a parameter is, and the words that it takes where that does not name them. */
export function aboutOf({ about, kind, values = [] }: Param): string {
  const isTold = kind !== 'enum' || values.length < 2 || values.every((each) => about.includes(each));
  if (isTold) return about;
  return `${about}: ${choice(values)}`;
}

/** The option that all have that change something. */
export const dryRunOption = (spec: CommandSpec): readonly [string, string] => [
  optionsOf(spec).some(([, { short }]) => short === '-n') ? '--dry-run' : '-n, --dry-run',
  'show what would change, change nothing',
];

/** The page of one command. */
export function pageOf(spec: CommandSpec): string {
  const lines = [`${spec.name}: ${spec.about}`, '', synopsis(spec)];
  if (spec.aliases !== undefined && spec.aliases.length > 0) lines.push(`also called: ${spec.aliases.join(', ')}`);
  const places = positionals(spec).map(([key, param]) => [placeholder(key, param), aboutOf(param)] as const);
  if (places.length > 0) lines.push('', 'arguments:', ...columns(places));
  const options: (readonly [string, string])[] = optionsOf(spec)
    .filter(([, { hidden }]) => hidden !== true)
    .map(([key, param]) => [optionText(key, param), aboutOf(param)]);
  if (takesDryRun(spec)) options.push(dryRunOption(spec));
  if (options.length > 0) lines.push('', 'options:', ...columns(options));
  lines.push('', 'examples:', ...columns(spec.examples));
  if (spec.exits !== undefined && spec.exits.length > 0)
    lines.push(
      '',
      'exit codes:',
      ...columns(spec.exits.map((code) => [String(code), spec.exitsHere?.[code] ?? EXIT_CODES[code as ExitCode]])),
    );
  if (spec.notes !== undefined) lines.push('', ...spec.notes);
  return lines.join('\n');
}

export const helpOf = (spec: CommandSpec): Output => ({
  type: 'page',
  text: pageOf(spec),
  json: {
    name: spec.name,
    aliases: spec.aliases ?? [],
    about: spec.about,
    synopsis: synopsis(spec).replace(/^usage: /, ''),
    risk: spec.risk,
    examples: spec.examples.map(([line, what]) => ({ line, what })),
  },
});

/** All commands by group, each with a line on what it does. */
export function listing(specs: readonly CommandSpec[], topics: readonly string[]): string {
  const lines: string[] = [];
  for (const [group, title] of Object.entries(GROUPS)) {
    const rows = specs.filter((spec) => spec.group === group).map((spec) => [spec.name, spec.about] as const);
    if (rows.length > 0) lines.push(`${title}:`, ...columns(rows), '');
  }
  lines.push(`help COMMAND tells more about one; topics: ${topics.join(', ')}`);
  return lines.join('\n');
}

/** The names of all commands, on one screen. */
export function overview(specs: readonly CommandSpec[], topics: readonly string[]): string {
  const rows = Object.entries(GROUPS).map(([group, title]) => {
    const names = specs.filter((spec) => spec.group === group).map(({ name }) => name);
    return [title, names.toSorted((a, b) => a.localeCompare(b, 'en')).join(' ')] as const;
  });
  const isUsed = ([, names]: readonly [string, string]): boolean => names !== '';
  const lines = columns([...rows.filter(isUsed), ['Topics', topics.join(' ')]]);
  return [...lines, '', 'help WORD tells more; zoosh --help says what each command does'].join('\n');
}
