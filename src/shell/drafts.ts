import type { Client } from '../client/api.ts';
import { redact } from '../editor/redact.ts';
import type { Arg, CommandSpec } from './command.ts';
import { keptWords } from './kept-words.ts';
import { recordingClient } from './recording.ts';
import { riskOfWords, wordsWithin } from './risk-within.ts';
import type { ShellPorts } from './shell-ports.ts';
import type { TrashDraft } from './trash.ts';

/** What commands replace is noted for undo: at a prompt, where that is wanted. */
export class Drafts {
  readonly #ports: ShellPorts;
  /** What the command that runs replaces. */
  #current: TrashDraft | undefined;
  /** What the command replaces that runs others for many nodes. */
  #many: TrashDraft | undefined;

  constructor(ports: ShellPorts) {
    this.#ports = ports;
  }

  /** `client`, whose changes are noted for undo where that is wanted. */
  recording(client: Client): Client {
    const keepsProtected = this.#ports.settings.get('undo-protected') === 'on';
    return this.#current === undefined ? client : recordingClient(client, this.#current, { keepsProtected });
  }

  /** Of a command. What a transaction replaces is its own; what is run for one of many nodes is a part of that. */
  of(
    spec: CommandSpec,
    typed: string,
    args: readonly Arg[],
    values: Readonly<Record<string, unknown>>,
  ): TrashDraft | undefined {
    const { name } = spec;
    // what it makes goes by itself: there is nothing to take back
    if (spec.isPassing === true || spec.removesOwn === true) return undefined;
    if (this.#many !== undefined && name !== 'undo') return this.#many;
    const isRun = spec.risk === 'read' && spec.runsForMany === true;
    const risk = isRun ? riskOfWords(wordsWithin(spec, values), this.#ports.registry) : spec.risk;
    if ((risk !== 'write' && risk !== 'bulk') || name === 'commit') return undefined;
    const line = [typed, ...keptWords(spec, typed, args, this.#ports.registry)];
    return this.#begin(redact(line.join(' ')), name === 'undo');
  }
  #begin(command: string, isUndo = false): TrashDraft | undefined {
    const { interactive, settings, session, trash } = this.#ports;
    const isOn = interactive && trash.isKept && settings.get('undo') === 'on';
    return isOn ? trash.begin({ target: session.label, command, isUndo }) : undefined;
  }

  /** Does `work`, whose changes are noted in `draft`; what could not be kept is told. */
  async during<T>(draft: TrashDraft | undefined, work: () => Promise<T>, isForMany = false): Promise<T> {
    const [outer, many] = [this.#current, this.#many];
    const isPart = draft !== undefined && draft === many;
    this.#current = draft;
    if (isForMany) this.#many = draft;
    try {
      return await work();
    } finally {
      this.#current = outer;
      this.#many = many;
      if (isPart) draft = undefined; // it ends with what it is a part of
      for (const line of draft?.end() ?? []) this.#ports.warn(line);
    }
  }
  /** The same for what `words` name. */
  kept<T>(words: string, work: () => Promise<T>): Promise<T> {
    return this.during(this.#begin(words), work);
  }
}
