/** Questions on terminals that only print: a line is asked, a line is read; no escape codes. */
import { createInterface } from 'node:readline';
import { Failure } from '../shell/failure.ts';

const declined = (): Failure => new Failure(31, 'Declined', 'not done');

/** One line typed at the terminal. @throws Failure 31 at Ctrl-C and Ctrl-D */
export function line(question: string): Promise<string> {
  process.stderr.write(`${question} `);
  return new Promise<string>((resolve, reject) => {
    const reader = createInterface({ input: process.stdin, terminal: false });
    let isOver = false;
    const interrupted = (): void => {
      process.stderr.write('\n');
      end(() => reject(declined()));
    };
    // its own listeners stay: with them it lets go of the terminal
    const end = (then: () => void): void => {
      if (isOver) return;
      isOver = true;
      process.off('SIGINT', interrupted);
      reader.close();
      then();
    };
    process.on('SIGINT', interrupted);
    reader.once('line', (text) => end(() => resolve(text)));
    reader.once('close', () => end(() => reject(declined())));
  });
}

export async function yesNo(question: string): Promise<boolean> {
  const answer = (await line(`${question} (y/N)`)).trim();
  return /^y(?:es)?$/i.test(answer);
}

export async function choice(
  question: string,
  choices: readonly { readonly value: string; readonly about: string }[],
): Promise<string> {
  for (const [at, { about }] of choices.entries()) process.stderr.write(` ${at + 1}  ${about}\n`);
  for (;;) {
    const found = choices[Number((await line(`${question} (1 to ${choices.length})`)).trim()) - 1];
    if (found !== undefined) return found.value;
  }
}

const [CTRL_C, CTRL_D, BACKSPACE, DELETE] = ['\x03', '\x04', '\b', '\x7f'];

/** What is typed is not shown. @throws Failure 31 */
export function hidden(question: string): Promise<string> {
  const { stdin } = process;
  stdin.setRawMode?.(true); // before it is asked: whoever sees the question may type at once
  process.stderr.write(`${question} (not shown) `);
  return new Promise<string>((resolve, reject) => {
    let typed: string[] = [];
    const end = (then: () => void): void => {
      stdin.off('data', take);
      stdin.setRawMode?.(false);
      stdin.pause();
      process.stderr.write('\n');
      then();
    };
    const take = (chunk: Buffer | string): void => {
      for (const char of chunk.toString()) {
        if (char === '\r' || char === '\n') return end(() => resolve(typed.join('')));
        if (char === CTRL_C || char === CTRL_D) return end(() => reject(declined()));
        if (char === BACKSPACE || char === DELETE) typed = typed.slice(0, -1);
        else typed.push(char);
      }
    };
    stdin.on('data', take);
    stdin.resume();
  });
}
