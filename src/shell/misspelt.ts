/** What is said of a line that was meant otherwise. */
import type { Registry } from './command.ts';
import { Failure } from './failure.ts';
import { nativeName } from './foreign-names.ts';
import { PROGRAMS, programHint } from './programs.ts';
import type { ShellPorts } from './shell-ports.ts';
import { nearest } from './suggest.ts';

/** For a line of the shell that came as a word. */
export const LINES_HINT = "whole lines stand after -c: zoosh -c 'txn { set /a x; delete /b }'";

/** 127 with what does the same here, or the nearest name. */
export function unknownCommand(name: string, registry: Registry): Failure {
  const native = nativeName(name);
  if (native !== undefined)
    return new Failure(127, 'UnknownCommand', `unknown command ${name}`, { hint: `here it is: ${native}` });
  if (PROGRAMS.has(name))
    return new Failure(127, 'UnknownCommand', `${name} is not a command of the shell`, { hint: programHint(name) });
  if (name === 'zoosh')
    return new Failure(127, 'UnknownCommand', 'unknown command zoosh', {
      hint: 'zoosh reads this itself: leave the word out, or say !zoosh to run another one',
    });
  const [first = ''] = name.split(/\s/, 1);
  if (first !== name && registry.find(first) !== undefined)
    return new Failure(127, 'UnknownCommand', `unknown command ${name}`, { hint: LINES_HINT });
  if (
    /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]|[\w-]+(?:\.[\w-]+){2,})(?::\S*)?$|^[\w.-]+:\d/.test(name)
  )
    return new Failure(127, 'UnknownCommand', `unknown command ${name}`, {
      hint: 'a server is HOST:PORT, for example 127.0.0.1:2181; -s takes it without a port, too',
    });
  const close = nearest(
    name,
    registry.all.flatMap(({ name: each, aliases = [] }) => [each, ...aliases]),
  )[0];
  const hint = close === undefined ? 'help lists the commands' : `did you mean ${close} ?`;
  return new Failure(127, 'UnknownCommand', `unknown command ${name}`, { hint });
}

/** `get *` in the OS shell asks for local files: said when nothing of the kind is a znode. */
export function expandedByOs(
  words: readonly string[],
  failure: Failure,
  { isFile }: Pick<ShellPorts, 'isFile'>,
): Failure | undefined {
  const files = words.filter((word) => !word.startsWith('-') && isFile(word));
  if (failure.code !== 'NoNode' || files.length < 3) return undefined;
  const hint = 'did your shell expand a pattern? quote it';
  return new Failure(failure.exit, failure.code, failure.message, { path: failure.path, hint, cause: failure });
}
