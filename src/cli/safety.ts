import { visibleLine } from '../out/data.ts';
import { fold } from '../out/fold.ts';
import type { CommandSpec, Plan, Risk } from '../shell/command.ts';
import { Failure, refused, usage } from '../shell/failure.ts';
import { askChoice, askHidden, askText, askYesNo, type TerminalHolder } from './ask.ts';
import { errWidth } from './width.ts';

/** So many znodes that undo brings back are changed without a question. */
const ASKED_BEYOND = 20;

export interface SafetyOptions {
  /** Somebody is there to answer; it may take a program to know. */
  readonly canAsk: () => boolean;
  readonly yes: boolean;
  readonly isProtected: () => boolean;
  /** Name of the profile in use. */
  readonly profile: () => string | undefined;
  /** Shows what a command has said so far and was held back: whoever is asked must have seen it. */
  readonly showHeld?: () => Promise<void>;
  readonly holder?: TerminalHolder | undefined;
}

/** Asks before what hurts; off a terminal it runs or is refused, never waits. */
export class Safety {
  readonly #options: SafetyOptions;
  readonly #allowed = new Set<string>();
  constructor(options: SafetyOptions) {
    this.#options = options;
  }

  /** Before bulk work and what concerns the ensemble. @throws Failure 30, 31 */
  async confirm(plan: Plan, risk: Risk): Promise<void> {
    const { canAsk, yes, profile, holder } = this.#options;
    if (yes) return;
    const isProtected = this.#options.isProtected() || plan.protects === true;
    const isSerious = risk === 'cluster' || plan.always === true;
    if (!canAsk()) {
      if (!isProtected && plan.path !== '/' && !isSerious) return;
      const why =
        isProtected && plan.always !== true
          ? 'the profile is protected'
          : isSerious
            ? 'nobody is there to ask'
            : 'it concerns the root';
      throw refused(`will not ${plan.what}: ${why}`, 'say --yes before the command', plan.path);
    }
    const isSmall = plan.keepsUndo === true && (plan.count ?? Number.POSITIVE_INFINITY) <= ASKED_BEYOND;
    if (isSmall && !isProtected && !isSerious && plan.path !== '/' && plan.hasOthersEphemerals !== true) return;
    await this.#options.showHeld?.();
    for (const line of plan.details ?? [])
      process.stderr.write(`${fold(` ${visibleLine(line)}`, errWidth(), 3).join('\n')}\n`);
    if (isProtected && plan.always !== true) {
      const name = risk === 'cluster' ? profile() : undefined;
      const typed = await askText(
        `About to ${visibleLine(plan.what)}. This profile is protected. Type ${name !== undefined ? 'its name' : plan.what.includes(plan.path) ? 'the path' : plan.path}:`,
        holder,
      );
      if (typed !== (name ?? plan.path)) throw declined();
    } else if (!(await askYesNo(`${capital(visibleLine(plan.what))}?`, holder))) throw declined();
  }

  /** Before the first change of each kind under a protected profile. @throws Failure 30, 31 */
  async confirmWrite({ name, risk }: CommandSpec): Promise<void> {
    const { canAsk, yes, holder } = this.#options;
    if (yes || risk !== 'write' || this.#allowed.has(name)) return; // bulk work asks with its plan
    if (!canAsk()) throw refused(`${name}: the profile is protected`, 'say --yes before the command');
    if (!(await askYesNo(`This profile is protected. Allow ${name} in this session?`, holder))) throw declined();
    this.#allowed.add(name);
  }

  /** @throws Failure (2, 31) */
  async choose(
    question: string,
    choices: readonly { readonly value: string; readonly about: string }[],
  ): Promise<string> {
    const { canAsk, holder } = this.#options;
    if (!canAsk()) throw usage(`nobody is there to say: ${question}`);
    await this.#options.showHeld?.();
    return askChoice(visibleLine(question), choices, holder);
  }

  /** @throws Failure (2) when nobody can type it */
  async askSecret(question: string): Promise<string> {
    const { canAsk, holder } = this.#options;
    if (!canAsk())
      throw usage('a credential is missing, and nobody is there to type it', 'say env:VAR, file:F or cmd:CMD');
    return askHidden(question, holder);
  }
}

const declined = (): Failure => new Failure(31, 'Declined', 'not done');
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
