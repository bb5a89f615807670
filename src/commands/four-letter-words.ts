import { ConnectStringError, parseConnectString, type Server, showServer } from '../client/connect-string.ts';
import { failureReason } from '../client/failure-reason.ts';
import { ADMIN_PORT, adminPortOf, adminReply, flattened } from '../shell/admin-server.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import { isForbidden } from '../shell/members.ts';
import type { Output } from '../shell/output.ts';
import { mntrTable } from './four-letter-mntr.ts';

/** What a HOST of the command names. */
function serversIn(host: string): readonly Server[] {
  try {
    return parseConnectString(host).servers;
  } catch (error) {
    throw error instanceof ConnectStringError ? usage(`4lw: ${error.message}`) : error;
  }
}

/** Eight bytes of a number of 64 bits. @throws Failure (2) */
function maskOf(text: string | undefined): Uint8Array {
  if (text === undefined || !/^(?:0x[\da-f]{1,16}|\d{1,19})$/i.test(text))
    throw usage('4lw stmk: a mask is missing', '4lw stmk 0x100, or a decimal number of 64 bits');
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(text)));
  return bytes;
}

/** The words that are commands of their own; `stat` is that of a znode. */
const ALIASES = 'ruok srvr mntr conf cons dump envi dirs wchs wchc wchp isro hash crst srst gtmk stmk'.split(' ');
const RESETS: Readonly<Record<string, string>> = {
  crst: 'reset the counters of all connections',
  srst: 'reset the counters of the server',
  stmk: 'set the trace mask',
};

/** ZooKeeper's words for operators, sent to one server or to all. */
export default command({
  name: '4lw',
  aliases: ALIASES,
  group: 'admin',
  about: 'send a four-letter word (ruok, srvr, mntr, ...) and show the answer',
  risk: 'read',
  riskOf: ({ word }) => (RESETS[word] === undefined ? 'read' : 'cluster'),
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
    adminPort: {
      kind: 'number',
      long: '--admin-port',
      about: `where the AdminServer listens; default ${ADMIN_PORT}`,
      placeholder: 'PORT',
    },
  },
  // `mntr --all` is `4lw mntr --all`
  legacy: (args, name) => (name === '4lw' ? args : [{ text: name, quote: 'none' }, ...args]),
  examples: [
    ['4lw srvr', 'of the server in use'],
    ['4lw mntr --all', 'of every one'],
    ['4lw ruok zk1:2181 zk2:2181', 'of these two'],
  ],
  exits: [3, 21, 30, 31],
  notes: [
    'crst, srst and stmk change what everybody reads: they ask first, and in a script need --yes. stmk MASK sets a mask, a number.',
    'A word that a server does not allow is asked of its AdminServer, and a note says so.',
  ],
  async run({ word, hosts: words, all, adminPort }, context): Promise<Output> {
    const port = adminPortOf(adminPort);
    const argument = word === 'stmk' ? maskOf(words[0]) : undefined;
    const hosts = argument === undefined ? words : words.slice(1);
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
      await context.confirm({ what: `${reset} at ${details.join(' ')}`, path: '/', details });
    }
    const parts: Output[] = [];
    for (const server of targets) {
      const host = showServer(server);
      const answer = await session.word(word, { ...server, argument, signal }).catch((error) => {
        if (signal.aborted) throw error;
        throw new Failure(3, 'ConnectFailed', `${host} does not answer: ${failureReason(error)}`, { cause: error });
      });
      // the AdminServer would be asked without the mask
      if (isForbidden(answer) && argument !== undefined)
        throw new Failure(21, 'NotWhitelisted', `${host} does not allow ${word}`, {
          hint: `add ${word} to 4lw.commands.whitelist in its zoo.cfg`,
        });
      if (isForbidden(answer)) parts.push(await fromAdmin(word, server, port, context));
      else parts.push(shown({ host, word, answer: answer.replace(/\n$/, '') }, targets.length > 1));
    }
    return parts.length === 1 ? (parts[0] as Output) : { type: 'many', parts };
  },
});

interface Answer {
  readonly host: string;
  readonly word: string;
  readonly answer: string;
}
function shown(each: Answer, isOneOfMany: boolean): Output {
  if (!isOneOfMany && each.word === 'mntr') return mntrTable(each.host, each.answer);
  return { type: 'value', value: each, text: isOneOfMany ? `${each.host}:\n${each.answer}` : each.answer };
}

/** @throws Failure (21) when that does not tell either */
async function fromAdmin(word: string, server: Server, port: number, context: CommandContext): Promise<Output> {
  const host = showServer(server);
  const reply = await adminReply(word, server, port, context);
  if (reply === 'refused')
    throw new Failure(
      21,
      'NotWhitelisted',
      `${host} does not allow ${word}, and its AdminServer on port ${port} wants a login`,
      {
        hint: `add ${word} to 4lw.commands.whitelist in its zoo.cfg; addauth digest says who asks`,
      },
    );
  if (reply === undefined)
    throw new Failure(21, 'NotWhitelisted', `${host} does not allow ${word}, and port ${port} has no AdminServer`, {
      hint: `add ${word} to 4lw.commands.whitelist in its zoo.cfg; --admin-port says where the AdminServer is`,
    });
  context.warn(`${host} does not allow ${word}: this is what its AdminServer on port ${port} says`);
  const { values } = reply;
  const fields = flattened(values);
  // to say anything at all is its answer
  if (fields.length === 0)
    return { type: 'value', value: { host, word, admin: values }, text: word === 'ruok' ? 'imok' : 'done' };
  return { type: 'fields', fields, json: { host, word, admin: values } };
}
