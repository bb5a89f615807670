/**
 * Debian's zkCli.sh with every command it has, on one server and on three, ours and Apache's, by lines and on a terminal with
 * the console of jline: each answer is the one written down, and as many are right everywhere.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect, fourLetterWord } from '../../src/index.ts';
import { Members, until } from '../e2e/members.ts';
import { ServerProcess } from '../e2e/process.ts';
import { PATIENCE_MS } from '../patience.ts';
import { ApacheMembers } from './apache-members.ts';
import { type Answer, CONSOLE, type Place, program } from './zkcli-program.ts';
import { type Said, type ZkCli, ZkCliByLines, ZkCliOnTerminal } from './zkcli-rig.ts';

const HOST = '127.0.0.1';
const LINES = [
  ...['tickTime=500', 'syncLimit=60', 'maxSessionTimeout=60000', 'maxClientCnxns=0'],
  ...['4lw.commands.whitelist=*', 'admin.enableServer=false'],
  ...['reconfigEnabled=true', 'extendedTypesEnabled=true', 'enforceQuota=true'],
  'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=',
];
const scratch = mkdtempSync(join(tmpdir(), 'zoosh-zkcli-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

type Servers = AsyncDisposable & { readonly ports: readonly number[] };
const STARTS: Readonly<Record<'zoosh' | 'Apache', (size: number) => Promise<Servers>>> = {
  zoosh: async (size) => {
    if (size === 1) {
      const server = await new ServerProcess(LINES, 'error').start();
      return Object.assign(server, { ports: [server.port] });
    }
    const members = await Members.start({ voters: size, lines: LINES });
    return Object.assign(members, { ports: members.all.map(({ clientPort }) => clientPort) });
  },
  Apache: async (size) => {
    const members = await ApacheMembers.start(size, 0, LINES);
    return Object.assign(members, { ports: members.all.map(({ port }) => port) });
  },
};

/** Looks at the servers when all of them serve, and have all that was written. */
async function placeOf(ports: readonly number[]): Promise<Place> {
  const hosts = ports.map((port) => `${HOST}:${port}`);
  let roles: (string | undefined)[] = [];
  await until(
    async () => {
      const answers = await Promise.all(
        ports.map((port) => fourLetterWord('srvr', { host: HOST, port, timeoutMs: 5000 }).catch(() => '')),
      );
      roles = answers.map((answer) => /^Mode: (\w+)$/m.exec(answer)?.[1]);
      return roles.every((role) => role !== undefined);
    },
    2 * PATIENCE_MS,
    () => `not all serve: ${roles}`,
  );
  const configs: string[] = [];
  for (const each of hosts) {
    await using client = await connect(each, { connectTimeoutMs: PATIENCE_MS });
    await client.sync('/');
    configs.push(String((await client.get('/zookeeper/config')).data ?? ''));
  }
  assert.equal(new Set(configs).size, 1, configs.join('\n\n'));
  const members = (configs[0] as string).split('\n').filter((line) => line.startsWith('server.'));
  assert.equal(members.length, ports.length === 1 ? 0 : ports.length);
  const none = `server.9=${HOST}:2888:3888:participant;${HOST}:2181`;
  const file = join(scratch, `${ports[0]}.members`);
  writeFileSync(file, `${members.length === 0 ? none : members.join('\n')}\n`);
  const at = roles.lastIndexOf('follower');
  return { members, spare: members[at] ?? none, staying: hosts.filter((_, n) => n !== at).join(), file };
}

/** What was right, what was not. */
class Tally {
  passes = 0;
  readonly wrong: string[] = [];
  judge(what: string, said: Said, answer: Answer, events: readonly string[] = []): void {
    const text = said.lines.join('\n');
    const isRight = answer instanceof RegExp ? answer.test(text) : text === answer.join('\n');
    if (isRight && said.events.join() === events.join()) this.passes++;
    else
      this.wrong.push(
        `${what}: wanted ${answer instanceof RegExp ? answer : JSON.stringify(answer)}, events [${events}]; got ${JSON.stringify(said.lines)}, events [${said.events}]`,
      );
  }
  is(what: string, isRight: boolean): void {
    if (isRight) this.passes++;
    else this.wrong.push(what);
  }
  get text(): string {
    return `${this.passes} of ${this.passes + this.wrong.length}`;
  }
}

/** Commands of the usage, and their options, that no line has. */
function unused(usage: readonly string[], lines: readonly string[]): string[] {
  const words = lines.map((line) => line.split(' '));
  return usage
    .filter((line) => line.startsWith('\t'))
    .flatMap((line) => {
      const [name = ''] = line.trim().split(' ');
      const uses = words.filter(([first]) => first === name).flat();
      const options = [...line.matchAll(/(?<=[ [|])-[a-z]+/gi)].map(([option]) => option);
      return [name, ...options].filter((word) => !uses.includes(word)).map((word) => `${name} ${word}`);
    });
}

async function play(cli: ZkCli, hosts: string, place: Place): Promise<Tally> {
  const tally = new Tally();
  await cli.open();
  await cli.until(/state:SyncConnected type:None path:null\n/, 'a session');
  if (cli instanceof ZkCliOnTerminal) {
    tally.is('jline was not found', /JLine support is enabled/.test(cli.text) && !/is disabled/.test(cli.text));
    for (const { what, keys, answer } of CONSOLE) tally.judge(what, await cli.press(keys), answer);
    // the last ten, as zkCli got them: the edited lines are these, whatever their answers were
    const lines = CONSOLE.slice(2).map(({ line }, at) => `${at + 2} - ${line}`);
    const { lines: told } = await cli.say('history', 0);
    const last = told.slice(0, -1).map((line) => line.trimEnd());
    tally.is(`the history was ${told.join(', ')}, not ${lines.join(', ')}`, last.join('\n') === lines.join('\n'));
    const prompt = `[zk: ${hosts}(CONNECTED) ${CONSOLE.length}] `;
    tally.is(`never prompted ${prompt}`, cli.text.includes(prompt));
    tally.judge('cleaned', await cli.say('deleteall /zkt', 0), []);
  }
  const before: Said[] = [];
  const lines: string[] = [];
  for (const { line, answer, events, session } of program(place)) {
    const from = cli.text.length;
    const text = typeof line === 'string' ? line : line(before);
    const said = await cli.say(text, events.length);
    // what is told while a line is typed would be within it
    if (session !== undefined) await cli.until(new RegExp(`state:${session} type:None path:null\\n`), session, from);
    tally.judge(text, said, answer, events);
    lines.push(text);
    before.push(said);
  }
  tally.is('quit: another code than 0', (await cli.quit()) === 0);
  const left = unused(before[0]?.lines ?? [], [...lines, 'quit']);
  tally.is(`not every command and option was used: ${left.join(', ')}`, left.length === 0);
  return tally;
}

for (const size of [1, 3])
  test(`zkCli.sh, every command, by lines and on a terminal: ${size} of ours and of Apache's`, async (t) => {
    const of = async (kind: keyof typeof STARTS): Promise<Tally[]> => {
      await using servers = await STARTS[kind](size);
      const hosts = servers.ports.map((port) => `${HOST}:${port}`).join();
      const out: Tally[] = [];
      for (const open of [() => new ZkCliByLines(hosts), () => new ZkCliOnTerminal(hosts, scratch)]) {
        const place = await placeOf(servers.ports);
        await using cli = open();
        out.push(await play(cli, hosts, place));
      }
      return out;
    };
    const [ours = [], theirs = []] = await Promise.all([of('zoosh'), of('Apache')]);
    for (const [at, way] of ['by lines', 'on a terminal'].entries())
      t.diagnostic(
        `${size} server${size === 1 ? '' : 's'}, ${way}: ${ours[at]?.text} right at ours, ${theirs[at]?.text} at Apache's`,
      );
    assert.deepEqual(
      [ours, theirs].map((each) => each.map(({ wrong }) => wrong)),
      [
        [[], []],
        [[], []],
      ],
    );
    assert.deepEqual(
      ours.map(({ passes }) => passes),
      theirs.map(({ passes }) => passes),
    );
  });
