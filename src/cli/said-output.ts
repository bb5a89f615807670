import { isTarget } from './targets.ts';

const JSON_MODES: ReadonlySet<string> = new Set(['json', 'ndjson']);

/**
 * Whether errors are wanted as JSON, of a command line that could not be read, or failed before there was a shell: as far as
 * the options before the command tell, else the environment.
 */
export function saysJson(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): boolean {
  let mode = env.ZOOSH_OUTPUT ?? '';
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    const [, value] = /^(?:--output=|-o)(.+)$/.exec(word) ?? [];
    if (value !== undefined) mode = value;
    else if (word === '-o' || word === '--output') mode = argv[++at] ?? '';
    else if (!word.startsWith('-')) {
      // what stands behind another option may be its value
      const isValue = at > 0 && /^-[^=]*$/.test(argv[at - 1] as string);
      if (!isValue && !isTarget(word)) break;
    }
  }
  return JSON_MODES.has(mode);
}
