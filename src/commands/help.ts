import { command } from '../shell/command.ts';
import { EXIT_CODES } from '../shell/exit-codes.ts';
import { Failure } from '../shell/failure.ts';
import { helpOf, overview } from '../shell/help.ts';
import type { Output } from '../shell/output.ts';
import { PROGRAMS, programHint } from '../shell/programs.ts';
import { nearest } from '../shell/suggest.ts';
import { TOPICS } from './help-topics.ts';

/** Explains. */
export default command({
  name: 'help',
  aliases: ['?', 'man'],
  group: 'shell',
  about: 'explain a command or a topic',
  risk: 'read',
  params: { subject: { kind: 'subject', about: 'a command or a topic; none lists both', optional: true } },
  examples: [
    ['help', 'all commands'],
    ['help create', 'one of them'],
    ['help quoting', 'a topic'],
  ],
  exits: [127],
  async run({ subject }, { registry }): Promise<Output> {
    const topics = [...Object.keys(TOPICS), 'exit-codes'];
    if (subject === undefined)
      return {
        type: 'page',
        text: overview(registry.all, topics),
        json: registry.all.map(({ name, about }) => ({ name, about })),
      };
    const spec = registry.find(subject);
    const topic = subject.toLowerCase();
    const page = Object.hasOwn(TOPICS, topic) ? TOPICS[topic] : undefined;
    if (spec !== undefined) {
      const own = helpOf(spec);
      // a word that is both: `acl`, `watches`
      return page === undefined || own.type !== 'page' ? own : { ...own, text: `${own.text}\n\n${page}` };
    }
    if (topic === 'exit-codes') {
      const text = Object.entries(EXIT_CODES).map(([code, what]) => `${code.padStart(4)}  ${what}`);
      return { type: 'page', text: text.join('\n'), json: EXIT_CODES };
    }
    if (page !== undefined) return { type: 'page', text: page, json: { topic, text: page } };
    if (PROGRAMS.has(topic))
      throw new Failure(127, 'UnknownCommand', `${topic} is not a command of the shell`, { hint: programHint(topic) });
    const close = nearest(subject, [...registry.all.map(({ name }) => name), ...topics])[0];
    throw new Failure(127, 'UnknownCommand', `no command or topic ${subject}`, {
      hint: close === undefined ? 'help lists them' : `did you mean help ${close} ?`,
    });
  },
});
