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

export const askYesNo = (message: string, holder?: TerminalHolder): Promise<boolean> =>
  ask<boolean>({ type: 'confirm', message, default: false }, holder);

export const askText = (message: string, holder?: TerminalHolder): Promise<string> =>
  ask<string>({ type: 'input', message }, holder);

export const askHidden = (message: string, holder?: TerminalHolder): Promise<string> =>
  ask<string>({ type: 'password', message, mask: '*' }, holder);

export const askChoice = (
  message: string,
  choices: readonly { readonly value: string; readonly about: string }[],
  holder?: TerminalHolder,
): Promise<string> =>
  ask<string>(
    { type: 'select', message, choices: choices.map(({ value, about }) => ({ value, name: about })) },
    holder,
  );
