import { type KeeperCode, KeeperError } from '../base/errors.ts';
import { type Arg, command } from '../shell/command.ts';
import { readDataFile } from '../shell/data.ts';
import { Failure, failureOf, usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { changesOf, listed, type MemberLine, membersIn, outlineOf, withPrefix } from './ensemble-text.ts';

const CONFIG_PATH = '/zookeeper/config';
const ONE_DASH = new Set(['-add', '-remove', '-members', '-file']);

/** Who belongs to the ensemble. */
export default command({
  name: 'reconfig',
  group: 'admin',
  about: 'change the members of the ensemble',
  risk: 'cluster',
  params: {
    add: {
      kind: 'text',
      long: '--add',
      about: 'servers that join, or join in another place; commas between them',
      placeholder: 'ID=HOST:PORT:PORT[:observer];PORT',
      many: true,
    },
    remove: { kind: 'text', long: '--remove', about: 'ids of servers that leave', placeholder: 'ID,...', many: true },
    members: {
      kind: 'text',
      long: '--members',
      about: 'all members anew, in place of --add and --remove',
      placeholder: 'ID=...,...',
      many: true,
    },
    file: { kind: 'file', long: '--file', about: 'all members anew, from a file of server, group and weight lines' },
    version: {
      kind: 'text',
      short: '-v',
      about: 'only if this is the version, in hexadecimal, as config shows it',
      placeholder: 'VERSION',
    },
    stat: { kind: 'flag', short: '-s', about: 'also show the stat' },
  },
  examples: [
    ['reconfig --add 4=zk4:2888:3888;2181', 'one more voter; it must be running and up to date'],
    ['reconfig --add 5=zk5:2888:3888:observer;2181 --remove 3', 'an observer comes, a server goes'],
    ['reconfig --file members.txt -v 100000003', 'all members anew, if nobody changed them since'],
  ],
  exits: [12, 14, 20, 21, 22, 23, 24, 30, 31],
  notes: [
    'At a prompt it shows the voters before and after and asks first; elsewhere it needs --yes before the command.',
    'Only super may, unless the ACL of /zookeeper/config was changed.',
    'A server whose own ports were changed moves to them at once; who is connected to it stays connected.',
    'zkCli spells it -add -remove -members -file; so may you.',
  ],
  legacy: (args: readonly Arg[]) =>
    args.map((arg) => (arg.quote === 'none' && ONE_DASH.has(arg.text) ? { ...arg, text: `-${arg.text}` } : arg)),
  async run({ add, remove, members, file, version, stat: showStat }, context): Promise<Output> {
    const joining = listed(add).map(withPrefix);
    const leaving = listed(remove);
    const whole = [...listed(members).map(withPrefix), ...(file === undefined ? [] : linesOf(file))];
    const isWhole = members.length > 0 || file !== undefined;
    if (isWhole && (joining.length > 0 || leaving.length > 0))
      throw usage('reconfig: --file and --members give all members anew: leave out --add and --remove');
    if (members.length > 0 && file !== undefined) throw usage('reconfig: --file or --members, not both');
    if (!isWhole && joining.length === 0 && leaving.length === 0)
      throw usage('reconfig: say who comes or goes: --add, --remove, --members or --file');
    const wanted = version === undefined ? undefined : versionOf(version);

    const client = await context.client();
    const { signal } = context;
    const lines = ((await client.getConfig({ signal })).data?.toString() ?? '').split('\n');
    const before = membersIn(lines);
    // a dry run would say that it works, and a server that runs alone has no members to change
    if (context.isDry && before.size === 0) throw explained(new KeeperError('Unimplemented', CONFIG_PATH));
    const after = isWhole ? membersIn(whole) : membersIn([...lines, ...joining]);
    if (!isWhole) for (const id of leaving) if (!membersIn(joining).has(id)) after.delete(id);
    const grouped = (all: readonly string[]): boolean => all.some((line) => line.startsWith('group.'));
    const details = [
      `before: ${outlineOf(before, grouped(lines))}`,
      `after:  ${outlineOf(after, grouped(whole))}`,
      ...changesOf(before, after),
    ];
    // servers make a new configuration of it without a word
    const strangers = before.size === 0 ? [] : leaving.filter((id) => !before.has(id));
    const tellStrangers = (): void => {
      for (const id of strangers) context.warn(`no member has the id ${id}`);
    };
    if (context.isDry) {
      tellStrangers();
      for (const each of details) context.warn(each);
    }
    await context.confirm({ what: 'change the members of the ensemble', path: CONFIG_PATH, details });
    try {
      const { data, stat } = await client.reconfig(
        {
          ...(joining.length > 0 && { joining: joining.join(',') }),
          ...(leaving.length > 0 && { leaving: leaving.join(',') }),
          ...(isWhole && { members: whole.join('\n') }),
          ...(wanted !== undefined && { version: wanted }),
        },
        { signal },
      );
      if (!context.isDry) tellStrangers();
      return { type: 'node', path: CONFIG_PATH, data, stat, showStat, form: 'text' };
    } catch (error) {
      throw explained(error, wrongIn([...joining, ...whole.filter(isNoWeight)], leaving, after));
    }
  },
});

const isNoWeight = (line: string): boolean => !/^(group|weight)\./.test(line);

/** With what to do about it, where that is known; `wrong`: what of the words no server would take. */
function explained(error: unknown, wrong?: string): unknown {
  const known = error instanceof KeeperError ? HINTS[error.code] : undefined;
  const isWords = error instanceof KeeperError && ['BadArguments', 'MarshallingError'].includes(error.code);
  const hint = (isWords ? wrong : undefined) ?? known;
  if (hint === undefined) return error;
  const { exit, code, message } = failureOf(error, 'cluster');
  return new Failure(exit, code, message, { path: CONFIG_PATH, hint, cause: error });
}

const HINTS: Readonly<Partial<Record<KeeperCode, string>>> = {
  ReconfigDisabled: 'reconfigEnabled=true in the zoo.cfg of every server allows it',
  Unimplemented: 'this server runs alone; standaloneEnabled=false makes it an ensemble of one',
  BadVersion: 'somebody changed the members meanwhile: config shows them',
  BadArguments: 'a server is ID=HOST:QUORUMPORT:ELECTIONPORT[:observer];CLIENTPORT, and voters must be left',
  NewConfigNoQuorum: 'start the servers that join first; they are counted once they have everything',
  NoAuth: 'addauth digest super:PASSWORD, where servers have a superDigest',
};

/** @throws Failure (2) */
function versionOf(text: string): bigint {
  if (!/^(0x)?[0-9a-f]{1,16}$/i.test(text))
    throw usage(`reconfig: a version is hexadecimal, as config shows it, not ${text}`);
  return BigInt(/^0x/i.test(text) ? text : `0x${text}`);
}

const SERVER = 'ID=HOST:QUORUMPORT:ELECTIONPORT[:observer];CLIENTPORT';
/** Of zoosh's servers. ZooKeeper's take more, so that nothing is refused for it here. */
const MOST_ID = 254;

/** A server says only that something is wrong: what can be seen of it. */
function wrongIn(
  lines: readonly string[],
  leaving: readonly string[],
  after: ReadonlyMap<string, MemberLine>,
): string | undefined {
  for (const line of lines) {
    const found = wrongLine(line);
    if (found !== undefined) return found;
  }
  for (const id of leaving) if (wrongId(id) !== undefined) return wrongId(id);
  const voters = [...after.values()].filter(({ isObserver }) => !isObserver).length;
  if (voters === 0) return 'no voter would be left';
  const owners = new Map<string, string>();
  for (const { id, text } of after.values())
    for (const address of addressesIn(text)) {
      const other = owners.get(address);
      if (other !== undefined) return `servers ${other} and ${id} would have the same address, ${address}`;
      owners.set(address, id);
    }
  return voters === 1 ? 'with standaloneEnabled=true two voters must be left' : undefined;
}
function wrongId(id: string): string | undefined {
  if (!/^\d+$/.test(id)) return `${id} is not an id: ids are numbers`;
  return Number(id) > MOST_ID ? `an id is at most ${MOST_ID}, not ${id}` : undefined;
}
function wrongLine(line: string): string | undefined {
  const [, id, spec] = /^server\.([^=]*?)\s*=(.*)$/.exec(line) ?? [];
  if (id === undefined || spec === undefined) return `${line} is not a server: ${SERVER}`;
  if (wrongId(id) !== undefined) return wrongId(id);
  const [addresses = '', client = ''] = spec.split(';', 2);
  if (addressesIn(line).length === 0)
    return `server ${id} lacks ports for members: ${id}=${addresses.trim().split(':')[0] || 'HOST'}:2888:3888;2181`;
  return client.trim() === '' ? `server ${id} lacks a port for clients: ${id}=${addresses};2181` : undefined;
}
/** Where members meet: each HOST:PORT of a server line. */
function addressesIn(line: string): string[] {
  const [spec = ''] = line.replace(/^[^=]*=/, '').split(';', 1);
  return spec.split('|').flatMap((each) => {
    const [, host, quorum, election] = /^\s*(\[[^\]]*\]|[^:]+):(\d+):(\d+)/.exec(each) ?? [];
    return host === undefined ? [] : [`${host}:${quorum}`, `${host}:${election}`];
  });
}

/** The lines of a file of members. @throws Failure (2) */
function linesOf(file: string): string[] {
  const lines = Buffer.from(readDataFile(file)).toString().split(/\r?\n/);
  const said = lines.map((line) => line.trim()).filter((line) => line !== '' && !/^[#!]/.test(line));
  const wrong = said.find((line) => !/^(server|group|weight)\.\d+\s*=|^version\s*=/.test(line));
  if (wrong !== undefined) throw usage(`reconfig: ${file} holds ${wrong}`, 'server, group and weight lines only');
  return said.filter((line) => !line.startsWith('version'));
}
