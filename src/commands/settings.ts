import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';

/** What the user prefers. */
export default command({
  name: 'settings',
  group: 'shell',
  about: 'show or change how this shell behaves',
  risk: 'read',
  params: {
    name: { kind: 'setting', about: 'which one; none shows all', optional: true },
    value: { kind: 'settingValue', about: 'the new value', optional: true },
    save: { kind: 'flag', long: '--save', about: 'also for later shells' },
  },
  examples: [
    ['settings', 'all of them'],
    ['settings output json', 'for this shell'],
    ['settings hints off --save', 'for good'],
  ],
  keeps: ({ save }) => (save ? 'settings --save' : undefined),
  async run({ name, value, save }, { settings }): Promise<Output> {
    if (name === undefined) {
      if (save) throw usage('settings: --save needs a NAME');
      const all = settings.all();
      return {
        type: 'table',
        columns: [{ name: 'name' }, { name: 'value' }, { name: 'about', folds: true }],
        rows: all.map((each) => [each.name, each.value, each.about]),
        json: all,
      };
    }
    if (value !== undefined) settings.set(name, value);
    const now = settings.get(name);
    if (save) settings.save(name);
    if (value !== undefined)
      return { type: 'done', text: `${name} is ${now}${save ? ', saved' : ''}`, json: { [name]: now } };
    return { type: 'value', value: now, text: now };
  },
});
