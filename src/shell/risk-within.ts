import { bind } from './bind.ts';
import type { Arg, CommandSpec, Registry, Risk } from './command.ts';
import { resolvePath } from './paths.ts';

/** The words of the command that a command is to run for others; undefined: it runs none. */
export function wordsWithin({ params }: CommandSpec, values: Readonly<Record<string, unknown>>): readonly Arg[] {
  return Object.entries(params).flatMap(([name, { kind, many }]) =>
    kind === 'command' && many === true ? (values[name] as readonly Arg[]) : [],
  );
}

/** The risk of a command given by its words, with that of a command within it. What cannot be read is told when it runs. */
export function riskOfWords([name, ...args]: readonly Arg[], registry: Registry): Risk {
  const spec = name === undefined ? undefined : registry.find(name.text);
  if (spec === undefined) return 'read';
  try {
    const { values, dryRun } = bind(spec, args, spec.name, {
      resolve: (typed, keepSlash, isPattern) => resolvePath('/', typed, keepSlash, isPattern),
      stdin: () => new Uint8Array(0),
    });
    if (dryRun) return 'read';
    const risk = spec.riskOf?.(values as never) ?? spec.risk;
    return risk === 'read' ? riskOfWords(wordsWithin(spec, values), registry) : risk;
  } catch {
    return spec.risk;
  }
}
