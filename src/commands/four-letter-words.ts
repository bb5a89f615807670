import { ConnectStringError, parseConnectString, type Server, showServer } from '../client/connect-string.ts';
import { command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';

/** What a HOST of the command names. */
function serversIn(host: string): readonly Server[] {
  try {
    return parseConnectString(host).servers;
  } catch (error) {
    throw error instanceof ConnectStringError ? usage(`4lw: ${error.message}`) : error;
  }
}

/** The words that are commands of their own; `stat` is that of a znode. */
const ALIASES = 'ruok srvr mntr conf cons dump envi dirs wchs wchc wchp isro hash crst srst gtmk'.split(' ');
const RESETS: Readonly<Record<string, string>> = {
  crst: 'reset the counters of all connections',
  srst: 'reset the counters of the server',
};

/** ZooKeeper's words for operators, sent to one server or to all. */
export default command({
  name: '4lw',
  aliases: ALIASES,
  group: 'admin',
  about: 'send a four-letter word (ruok, srvr, mntr, ...) and show the answer',
  risk: 'read',
  dryRun: false,
  params: {
    word: {
      kind: 'enum',
      about: 'the word',
      values: [...ALIASES, 'stat'],
    },
    hosts: {
      kind: 'text',
      about: 'host:port of the servers; default the one in use',
      many: true,
      optional: true,
      placeholder: 'HOST',
    },
    all: { kind: 'flag', long: '--all', about: 'every server of the connect string' },
  },
  // `mntr --all` is `4lw mntr --all`
  legacy: (args, name) => (name === '4lw' ? args : [{ text: name, quote: 'none' }, ...args]),
  examples: [
    ['4lw srvr', 'of the server in use'],
    ['4lw mntr --all', 'of every one'],
  ],
  exits: [3, 21, 30, 31],
  notes: ['crst and srst change what everybody reads: they ask first, and in a script need --yes.'],
  async run({ word, hosts, all }, context): Promise<Output> {
    if (all && hosts.length > 0) throw usage('4lw: --all and HOST exclude each other');
    const { signal, session } = context;
    const targets: readonly Server[] = all
      ? parseConnectString(session.target).servers
      : hosts.length > 0
        ? hosts.flatMap(serversIn)
        : parseConnectString((await context.client()).server ?? session.target).servers;
    const reset = RESETS[word];
    if (reset !== undefined) {
      const details = targets.map(showServer);
      await context.confirm({ what: `${reset} at ${details.join(' ')}`, path: '/', details, always: true });
    }
    const answers: { host: string; word: string; answer: string }[] = [];
    for (const server of targets) {
      const host = showServer(server);
      const answer = await session.word(word, { ...server, signal }).catch((error) => {
        if (signal.aborted) throw error;
        throw new Failure(3, 'ConnectFailed', `${host} does not answer: ${(error as Error).message}`, { cause: error });
      });
      if (/is not executed because it is not in the whitelist/.test(answer))
        throw new Failure(21, 'NotWhitelisted', `${host} does not allow ${word}`, {
          hint: `its setting is 4lw.commands.whitelist=${word},srvr`,
        });
      answers.push({ host, word, answer: answer.replace(/\n$/, '') });
    }
    const parts = answers.map(
      (each): Output => ({
        type: 'value',
        value: each,
        text: answers.length > 1 ? `${each.host}:\n${each.answer}` : each.answer,
      }),
    );
    return parts.length === 1 ? (parts[0] as Output) : { type: 'many', parts };
  },
});
