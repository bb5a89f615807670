/** zkCli as a program that reads lines: its commands, history, exit codes. It knows no terminal and no process. */
import type { Client, ClientState, StateChange, WatchEvent } from '../client/api.ts';
import { QUOTA_COMMANDS } from './quota-commands.ts';
import { lsHelp, READ_COMMANDS } from './read-commands.ts';
import { reconfig } from './reconfig-command.ts';
import { errorText, eventText, sessionEventText, usageLine, usageOfAll, usageText, type ZkVersion } from './texts.ts';
import { CommandFault, Crash, type ZkCommand, type ZkContext } from './types.ts';
import { type ParsedWords, ParseFault, parseWords, wordsOf } from './words.ts';
import { WRITE_COMMANDS } from './write-commands.ts';

const COMMANDS: Readonly<Record<string, ZkCommand>> = {
  ...READ_COMMANDS,
  ...WRITE_COMMANDS,
  ...QUOTA_COMMANDS,
  reconfig,
};
/** Names of before 3.6, which people still type, and the words for the same now. The usage has none of them. */
const OLD_NAMES: Readonly<Record<string, (rest: readonly string[]) => readonly string[]>> = {
  // -s last, where the third word may be `watch`
  ls2: (rest) => ['ls', ...rest, '-s'],
  rmr: (rest) => ['deleteall', ...rest],
};
/** Lines `history` shows besides its own. */
const SHOWN = 10;

export interface ZkPorts {
  out(text: string): void;
  err(text: string): void;
  /** Begins a session; the client is there at once, its operations wait. @throws Error for a bad connect string */
  connect(target: string, onState: (change: StateChange) => void): Promise<Client>;
  readFile(file: string): string;
}

export interface ZkOptions {
  readonly version: ZkVersion;
  /** Session events are printed, and there is no help, as with zkCli. */
  readonly exact: boolean;
  readonly target: string;
  readonly programVersion: string;
}

export class ZkShell {
  /** Of the last command; what the process ends with. */
  exitCode = 0;
  /** A command, or an exception that Java would not catch, has ended the shell. */
  isOver = false;
  target: string;
  readonly #ports: ZkPorts;
  readonly #options: ZkOptions;
  readonly #history = new Map<number, string>();
  #count = 0;
  #printsWatches = true;
  #client: Promise<Client> | undefined;
  #current: Client | undefined;
  #isClosed = false;

  constructor(ports: ZkPorts, options: ZkOptions) {
    this.#ports = ports;
    this.#options = options;
    this.target = options.target;
  }

  /** Commands typed so far; the prompt's number. */
  get count(): number {
    return this.#count;
  }
  get state(): ClientState {
    return this.#isClosed ? 'closed' : (this.#current?.state ?? 'connecting');
  }
  get client(): Client | undefined {
    return this.#current;
  }

  /** Begins the session, so that it is there when the first command needs it. */
  connect(): void {
    const { version, exact } = this.#options;
    this.#isClosed = false;
    this.#client = this.#ports.connect(this.target, ({ state }) => {
      const name = STATE_NAMES[state];
      if (exact && this.#printsWatches && name !== undefined) this.#ports.out(sessionEventText(name, version));
    });
    const mine = this.#client;
    mine.then(
      (client) => {
        if (this.#client === mine) this.#current = client;
      },
      () => {
        if (this.#client === mine) this.#client = undefined; // the next command tries again
      },
    );
  }

  /** Resolves when the session has a server. @throws ConnectError */
  async connected(): Promise<void> {
    await this.#client;
  }

  /** Ends the session without a word, at the end of the program. */
  async end(): Promise<void> {
    this.#printsWatches = false;
    await this.close();
  }

  /** Ends the session. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#current = undefined;
    this.#isClosed = true;
    await client?.then((one) => one.close()).catch(() => {});
  }

  /** One typed line. */
  async line(text: string): Promise<void> {
    if (text === '') return;
    this.#history.set(this.#count, text);
    await this.run(wordsOf(text));
    this.#count++;
  }

  /** One command whose words are given; its failure is printed. */
  async run(words: readonly string[]): Promise<void> {
    try {
      await this.#command(words);
      this.exitCode = 0;
    } catch (error) {
      if (error instanceof Leave) return; // the status before holds
      if (error instanceof Crash) this.isOver = true;
      this.exitCode = error instanceof NotFound ? 127 : 1;
      const text =
        error instanceof CommandFault || error instanceof ParseFault || error instanceof Crash
          ? error.message
          : errorText(
              error,
              words.find((word) => word.startsWith('/')),
              this.#options.version,
            );
      this.#ports.err(`${text}\n`);
    }
  }

  async #command(typed: readonly string[]): Promise<void> {
    const { version, exact } = this.#options;
    const words = exact ? typed : asNow(typed);
    const [name = '', first] = words;
    if (!exact && name === 'help' && (first === undefined || usageLine(first, version) !== undefined)) {
      this.#ports.out(`${first === undefined ? usageOfAll(version) : usageText(first, version)}\n`);
      return;
    }
    if (usageLine(name, version) === undefined) {
      this.#ports.err(`${usageOfAll(version)}\n`);
      throw new NotFound(`Command not found: Command not found ${name}`);
    }
    switch (name) {
      case 'quit':
      case 'exit':
        await this.close();
        this.isOver = true;
        throw new Leave();
      case 'history':
        this.#showHistory();
        break;
      case 'redo':
        if (first !== undefined) return this.#redo(first);
        break;
      case 'printwatches':
        if (first === undefined) this.#ports.out(`printwatches is ${this.#printsWatches ? 'on' : 'off'}\n`);
        else this.#printsWatches = first === 'on';
        break;
      case 'connect':
        await this.close();
        this.target = first ?? this.target;
        this.connect();
        break;
    }
    if (this.#isClosed || this.#isDead()) {
      this.#ports.out('Not connected\n');
      return;
    }
    if (name === 'close') return this.close();
    const command = COMMANDS[name];
    if (command !== undefined) await this.#perform(name, command, words);
  }

  #isDead(): boolean {
    const state = this.#current?.state;
    return state === 'closed' || state === 'expired' || state === 'authFailed';
  }

  async #perform(name: string, command: ZkCommand, words: readonly string[]): Promise<void> {
    const { version } = this.#options;
    const specs = { ...command.options, ...(version === '3.10' && command.newOptions) };
    let parsed = parseWords(words, specs);
    if (name === 'ls' && parsed.options.has('?')) this.#ports.out(lsHelp);
    if (name === 'setquota') refuseWithoutLimit(parsed);
    if (parsed.args.length < command.words) throw new CommandFault(usageText(name, version));
    if (command.old !== undefined && parsed.args.length > 2) {
      this.#ports.err(`${command.old.text}\n`);
      // the third word typed becomes the option, whatever it is
      parsed = parseWords(words.with(2, command.old.option), specs);
    }
    await command.run(parsed, this.#context());
  }

  #context(): ZkContext {
    const { version, programVersion } = this.#options;
    return {
      client: () => {
        if (this.#client === undefined) this.connect();
        return this.#client as Promise<Client>;
      },
      out: (text) => this.#ports.out(text),
      err: (text) => this.#ports.err(text),
      version,
      programVersion,
      watch: this.#watch,
      readFile: (file) => this.#ports.readFile(file),
      addAuth: (scheme, auth) => {
        this.#client?.then((client) => client.addAuth(scheme, auth)).catch(() => {});
      },
    };
  }

  /** One listener for all: the same place is told once, in however many ways it is watched. */
  readonly #watch = (event: WatchEvent): void => {
    if (this.#printsWatches) this.#ports.out(eventText(event, this.#options.version));
  };

  #showHistory(): void {
    for (let at = Math.max(0, this.#count - SHOWN); at <= this.#count; at++)
      this.#ports.out(`${at} - ${this.#history.get(at) ?? 'null'}\n`);
  }

  async #redo(said: string): Promise<void> {
    if (!/^[+-]?(?:0x[0-9a-f]{1,8}|#[0-9a-f]{1,8}|\d{1,10})$/i.test(said))
      throw new Crash('NumberFormatException', `For input string: "${said}"`);
    const digits = said.replace(/^\+/, '').replace('#', '0x');
    const number = /^-?0\d/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
    if (!(number >= 0 && number < this.#count)) throw new CommandFault('Command index out of range');
    const line = this.#history.get(number) ?? '';
    const words = wordsOf(line);
    if (words[0] === 'redo') throw new CommandFault('No redoing redos');
    this.#history.set(this.#count, line);
    await this.run(words);
    if (this.exitCode !== 0) throw new Leave();
  }
}

function asNow(words: readonly string[]): readonly string[] {
  const [name = '', ...rest] = words;
  return Object.hasOwn(OLD_NAMES, name) ? (OLD_NAMES[name]?.(rest) ?? words) : words;
}

class NotFound extends CommandFault {}
/** Ends a command without another word; the exit code stays. */
class Leave extends Error {}

const STATE_NAMES: Partial<Record<ClientState, string>> = {
  connected: 'SyncConnected',
  connectedReadOnly: 'ConnectedReadOnly',
  suspended: 'Disconnected',
  expired: 'Expired',
  authFailed: 'AuthFailed',
  closed: 'Closed',
};

function refuseWithoutLimit({ options }: ParsedWords): void {
  if (options.size > 0) return;
  throw new ParseFault(
    'org.apache.commons.cli.MissingOptionException: Missing required option: [-n num soft quota, -b bytes soft quota, -N num hard quota, -B bytes hard quota]',
  );
}
