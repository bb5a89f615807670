import { styleText } from 'node:util';
import { textWidth } from '../base/width.ts';
import { fold, LEAST } from '../out/fold.ts';
import { decideColor, isAsciiLocale } from '../out/theme.ts';
import { Failure } from '../shell/failure.ts';
import { errWidth } from './width.ts';

/** Stops and resumes whatever reads the terminal meanwhile. */
export interface TerminalHolder {
  pause(): void;
  resume(): void;
}

/** inquirer is half of all import time, so it is loaded when something is asked. Questions go to standard error. */
async function ask<T>(question: object, holder: TerminalHolder | undefined): Promise<T> {
  const { default: inquirer } = await import('inquirer');
  const left = new AbortController();
  const prompt = inquirer.createPromptModule({ output: process.stderr, signal: left.signal });
  holder?.pause();
  // Ctrl-D closes the reader of lines, which inquirer waits for all the same; so does a terminal that goes away
  const closed = (): void => void setImmediate(() => left.abort());
  const { stdin } = process;
  try {
    const asked = prompt([{ ...question, name: 'answer' }] as never);
    for (const event of ['pause', 'end', 'close']) stdin.once(event, closed);
    const { answer } = (await asked) as { answer: T };
    return answer;
  } catch (error) {
    const { name } = error as Error;
    if (name === 'ExitPromptError' || name === 'AbortPromptError') throw new Failure(31, 'Declined', 'not done');
    throw error;
  } finally {
    for (const event of ['pause', 'end', 'close']) stdin.off(event, closed);
    holder?.resume();
  }
}

/** Beside the question: the sign before it, `(y/N)` or the first letters of an answer. */
const AROUND = 10;

/**
 * The question that is asked. What does not fit in a line is said above it, broken between words, so that the line where
 * the answer is typed is a short one: a terminal breaks anywhere, and anew at each change of its width.
 */
export function askedLast(message: string, width: number): { above: string[]; asked: string } {
  if (textWidth(message) + AROUND <= width) return { above: [], asked: message };
  const end = message.lastIndexOf('. ') + 1;
  const asked = fold(message.slice(end).trimStart(), Math.max(LEAST, width - AROUND));
  const above = end === 0 ? [] : fold(message.slice(0, end), width - 1);
  return { above: [...above, ...asked.slice(0, -1)].map((line) => ` ${line}`), asked: asked.at(-1) as string };
}

function short(message: string): string {
  const { above, asked } = askedLast(message, errWidth());
  for (const line of above) process.stderr.write(`${line}\n`);
  return asked;
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

const YES = /^y(?:es)?$/i;
const NO = /^(?:no?)?$/i;
const isYes = (answer: string): boolean => YES.test(answer.trim());
/**
 * Not inquirer's own question for yes and no: that leaves a wrong answer in the field, and what is typed next comes behind it.
 * What it says then fits on the narrowest terminal.
 */
const yesNoQuestion = (message: string): object => ({
  type: 'input',
  message,
  validate: (answer: string) => YES.test(answer.trim()) || NO.test(answer.trim()) || 'answer y or n',
  transformer: (answer: string, { isFinal }: { readonly isFinal: boolean }) =>
    isFinal ? styleText('cyan', isYes(answer) ? 'Yes' : 'No') : answer,
  theme: {
    validationFailureMode: 'clear',
    style: {
      message: (text: string, status: string) =>
        `${styleText('bold', text)}${status === 'done' ? '' : styleText('dim', ' (y/N)')}`,
    },
  },
});

export const askYesNo = (message: string, holder?: TerminalHolder): Promise<boolean> =>
  isPlain()
    ? askPlainly(({ yesNo }) => yesNo(short(message)), holder)
    : ask<string>(yesNoQuestion(short(message)), holder).then(isYes);

export const askText = (message: string, holder?: TerminalHolder): Promise<string> =>
  isPlain()
    ? askPlainly(({ line }) => line(short(message)), holder)
    : ask<string>({ type: 'input', message: short(message) }, holder);

export const askHidden = (message: string, holder?: TerminalHolder): Promise<string> =>
  isPlain()
    ? askPlainly(({ hidden }) => hidden(short(message)), holder)
    : ask<string>({ type: 'password', message: short(message), mask: '*' }, holder);

export const askChoice = (
  message: string,
  choices: readonly { readonly value: string; readonly about: string }[],
  holder?: TerminalHolder,
): Promise<string> =>
  isPlain()
    ? askPlainly(({ choice }) => choice(short(message), choices), holder)
    : ask<string>(
        {
          type: 'select',
          message: short(message),
          choices: choices.map(({ value, about }) => ({ value, name: about })),
        },
        holder,
      );
