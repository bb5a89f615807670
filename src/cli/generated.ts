import { TOPICS } from '../commands/help-topics.ts';
import { registry } from '../commands/index.ts';
import { optionsOf, placeholder, positionals, synopsis } from '../shell/bind.ts';
import type { CommandSpec } from '../shell/command.ts';
import { EXIT_CODES, type ExitCode } from '../shell/exit-codes.ts';
import { aboutOf, optionText } from '../shell/help.ts';
import { completionScript, SHELLS } from './completion-scripts.ts';
import { manPage } from './man-page.ts';

const cell = (text: string): string => text.replace(/\|/g, '\\|');
const rows = (head: readonly [string, string], all: readonly (readonly [string, string])[]): string[] =>
  all.length === 0
    ? []
    : ['', `| ${head[0]} | ${head[1]} |`, '|---|---|', ...all.map(([a, b]) => `| \`${cell(a)}\` | ${cell(b)} |`)];

function commandText(spec: CommandSpec): string {
  const { name, about, aliases = [], examples, exits = [], notes = [] } = spec;
  return [
    `## ${name}`,
    '',
    `${about.charAt(0).toUpperCase()}${about.slice(1)}.${aliases.length > 0 ? ` Also called ${aliases.map((each) => `\`${each}\``).join(', ')}.` : ''}`,
    '',
    '```text',
    synopsis(spec).replace(/^usage: /, ''),
    '```',
    ...rows(
      ['argument', 'meaning'],
      positionals(spec).map(([key, param]) => [placeholder(key, param), aboutOf(param)] as const),
    ),
    ...rows(
      ['option', 'meaning'],
      optionsOf(spec)
        .filter(([, { hidden }]) => hidden !== true)
        .map(([key, param]) => [optionText(key, param), aboutOf(param)] as const),
    ),
    ...rows(['example', 'what it does'], examples),
    ...rows(
      ['exit code', 'when'],
      exits.map((code) => [String(code), EXIT_CODES[code as ExitCode]] as const),
    ),
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
  ].join('\n');
}

/** Files that are printed from the registry and the tables, by their path in the repository. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const shell of SHELLS) files.set(`completions/zoosh.${shell}`, completionScript(shell));
  files.set('man/zoosh.1', await manPage());
  const commands = [...registry.all].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  files.set(
    'docs/commands.md',
    [
      '# Commands of the shell',
      '',
      'Printed from the command registry by `npm run generate`; `help COMMAND` says the same. Commands work at the prompt, in',
      'scripts and as `zoosh TARGET COMMAND ...`. Every command takes `--help`.',
      '',
      ...commands.map(commandText),
      '# Topics',
      '',
      ...Object.entries(TOPICS).flatMap(([name, text]) => [`## ${name}`, '', '```text', text, '```', '']),
    ].join('\n'),
  );
  files.set(
    'docs/errors.md',
    [
      '# Exit codes',
      '',
      'Printed from the table in `src/shell/exit-codes.ts` by `npm run generate`. A batch ends with the code of its first failing',
      'command. Servers use 40 to 45.',
      ...rows(['code', 'meaning'], Object.entries(EXIT_CODES)),
      '',
    ].join('\n'),
  );
  return files;
}
