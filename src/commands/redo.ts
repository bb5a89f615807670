import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { hiddenCredential, holdsHidden } from '../shell/hidden.ts';

/** Lines with a redo in them are never run again: they would run themselves. */
const isRedo = (line: string): boolean => /(?:^|[\s;])redo(?:[\s;]|$)/i.test(line);

/** Runs a line again. */
export default command({
  name: 'redo',
  group: 'shell',
  about: 'run a line of the history again',
  risk: 'read',
  runsLines: true,
  params: { number: { kind: 'number', about: 'its number in history; default the last one', optional: true } },
  examples: [
    ['redo 3', 'line 3 again'],
    ['redo', 'the last line again'],
    ['redo 3 && ls', 'line 3 again, then a listing'],
  ],
  notes: ['A line whose credential the history does not keep (****) is refused: type it again.'],
  async run({ number }, context) {
    const lines = context.history.list().filter(({ text }) => !isRedo(text));
    const line = number === undefined ? lines.at(-1) : lines.find((each) => each.number === number);
    if (line === undefined)
      throw usage(
        number === undefined ? 'redo: nothing was typed yet' : `redo: no line ${number} in history`,
        'history lists them',
      );
    if (holdsHidden(line.text)) throw hiddenCredential();
    context.warn(line.text);
    const status = await context.run(line.text);
    return { type: 'many', parts: [], exit: status };
  },
});
