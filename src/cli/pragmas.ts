import { MODES, type Mode } from '../out/modes.ts';
import { usage } from '../shell/failure.ts';
import { choice } from '../shell/units.ts';

/** What a script says about itself in its first comment lines. */
export interface Pragmas {
  readonly atomic?: boolean;
  readonly continueOnError?: boolean;
  readonly output?: Mode;
}

/** Lines like `#: atomic`, `#: continue-on-error`, `#: output ndjson` before the first command. @throws Failure (2) */
export function pragmasOf(text: string): Pragmas {
  const out: { -readonly [K in keyof Pragmas]: Pragmas[K] } = {};
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed !== '' && !trimmed.startsWith('#')) break;
    if (!trimmed.startsWith('#:')) continue;
    const [word = '', value, more] = trimmed.slice(2).trim().split(/\s+/);
    if (more !== undefined) throw usage(`not a pragma: ${trimmed}`);
    if (word === 'atomic' && value === undefined) out.atomic = true;
    else if (word === 'continue-on-error' && value === undefined) out.continueOnError = true;
    else if (word === 'output') {
      const mode = MODES.find((each) => each === value);
      if (mode === undefined) throw usage(`not a pragma: ${trimmed}`, `output is ${choice(MODES)}`);
      out.output = mode;
    } else throw usage(`not a pragma: ${trimmed}`, 'there are atomic, continue-on-error and output MODE');
  }
  return out;
}
