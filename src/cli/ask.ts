import { decideColor, isAsciiLocale } from '../out/theme.ts';
import { Failure } from '../shell/failure.ts';

/** Stops and resumes whatever reads the terminal meanwhile. */
export interface TerminalHolder {
  pause(): void;
  resume(): void;
}

/** inquirer is half of all import time, so it is loaded when something is asked. Questions go to standard error. */
async function ask<T>(question: object, holder: TerminalHolder | undefined): Promise<T> {
  const { default: inquirer } = await import('inquirer');
  const prompt = inquirer.createPromptModule({ output: process.stderr });
  holder?.pause();
  try {
    const { answer } = (await prompt([{ ...question, name: 'answer' }] as never)) as { answer: T };
    return answer;
  } catch (error) {
    if ((error as Error).name === 'ExitPromptError') throw new Failure(31, 'Declined', 'not done');
    throw error;
  } finally {
    holder?.resume();
  }
}

/** inquirer draws in colours and with signs beyond ASCII: where either is not wanted a line is asked and a line is read. */
const isPlain = (): boolean => !decideColor('auto', process.env, true) || isAsciiLocale(process.env);

/** The same by plain lines. @throws Failure 31 */
async function askPlainly<T>(
  work: (plain: typeof import('./ask-plain.ts')) => Promise<T>,
  holder: TerminalHolder | undefined,
): Promise<T> {
  const plain = await import('./ask-plain.ts');
  holder?.pause();
  try {
    return await work(plain);
  } finally {
    holder?.resume();
  }
}

export const askYesNo = (message: string, holder?: TerminalHolder): Promise<boolean> =>
  isPlain()
    ? askPlainly(({ yesNo }) => yesNo(message), holder)
    : ask<boolean>({ type: 'confirm', message, default: false }, holder);

export const askText = (message: string, holder?: TerminalHolder): Promise<string> =>
  isPlain() ? askPlainly(({ line }) => line(message), holder) : ask<string>({ type: 'input', message }, holder);

export const askHidden = (message: string, holder?: TerminalHolder): Promise<string> =>
  isPlain()
    ? askPlainly(({ hidden }) => hidden(message), holder)
    : ask<string>({ type: 'password', message, mask: '*' }, holder);

export const askChoice = (
  message: string,
  choices: readonly { readonly value: string; readonly about: string }[],
  holder?: TerminalHolder,
): Promise<string> =>
  isPlain()
    ? askPlainly(({ choice }) => choice(message, choices), holder)
    : ask<string>(
        { type: 'select', message, choices: choices.map(({ value, about }) => ({ value, name: about })) },
        holder,
      );
