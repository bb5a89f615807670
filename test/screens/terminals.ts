/** The terminals that screens are drawn for. */
import { decideColor, isAsciiLocale, makeTheme, type Theme } from '../../src/out/theme.ts';

export interface Terminal {
  /** As the heads of the screens have it. */
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}
const UTF8 = { LANG: 'C.UTF-8' };
export const TERMINALS: readonly Terminal[] = [
  { name: 'TERM=xterm-256color', env: { ...UTF8, TERM: 'xterm-256color' } },
  { name: 'TERM=linux', env: { ...UTF8, TERM: 'linux' } },
  { name: 'TERM=vt100', env: { ...UTF8, TERM: 'vt100' } },
  { name: 'TERM=dumb', env: { ...UTF8, TERM: 'dumb' } },
  { name: 'no TERM', env: { ...UTF8 } },
  { name: 'NO_COLOR=1', env: { ...UTF8, TERM: 'xterm-256color', NO_COLOR: '1' } },
  { name: 'LC_ALL=C', env: { TERM: 'xterm-256color', LC_ALL: 'C' } },
];
export const COLUMNS = [80, 48] as const;

export const themeOf = ({ env }: Terminal): Promise<Theme> =>
  makeTheme(decideColor('auto', env, true), isAsciiLocale(env));

/** Codes of our own for each of the terminals; what is not named here may not be sent to it. */
const SIXTEEN = /^\x1b\[(?:0|1|2|3|4|7|22|23|24|27|3[0-7]|39|4[0-7]|49|9[0-7])(?:;(?:0|1|2|4|7|3[0-7]))*m$/;
/** What is wrong with a text for a terminal, in words. `isOurs`: no data of nodes is in it. */
export function faultsOf(text: string, { name, env }: Terminal): string[] {
  const codes = text.match(/\x1b(?:\[[0-9;?]*[A-Za-z]|.)?/g) ?? [];
  const out: string[] = [];
  const isBare = name === 'TERM=dumb' || name === 'no TERM';
  for (const code of codes) {
    const isColour = code.endsWith('m');
    if (isBare || (isColour && (name === 'NO_COLOR=1' || name === 'TERM=vt100')))
      out.push(`${name}: ${JSON.stringify(code)}`);
    else if (isColour && !SIXTEEN.test(code))
      out.push(`${name}: ${JSON.stringify(code)} is not of the sixteen colours`);
  }
  const odd = env.LC_ALL === 'C' ? /[^\n\x08\x1b\x20-\x7e]/.exec(text) : null;
  if (odd !== null) out.push(`${name}: ${JSON.stringify(odd[0])} is not ASCII`);
  return [...new Set(out)];
}
