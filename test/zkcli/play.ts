/** A recorded run of zkCli again, by ours. */
import assert from 'node:assert/strict';
import { runZkcli } from '../../src/cli/zkcli.ts';
import { compatWish } from '../../src/cli/zkcli-argv.ts';
import { normalise } from './captures.ts';

export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

/** What was printed and how it ended, without what differs from run to run. */
export const shown = ({ stdout, stderr, exit }: Result): string =>
  `stdout:\n${normalise(stdout)}stderr:\n${normalise(stderr)}exit ${exit}\n`;

/** `words` of a command line, `typed` behind it; `patienceMs`: until a server that is not there is given up; `mode`: of compatibility. */
export async function play(
  words: readonly string[],
  typed: readonly string[] | undefined,
  version: '3.8' | '3.10',
  patienceMs: number,
  mode: 'zkcli' | 'zkcli-exact' = 'zkcli',
): Promise<Result> {
  let [stdout, stderr] = ['', ''];
  const ours = ['--compat', `${mode}=${version}`, '--no-config', '--connect-timeout', String(patienceMs)];
  const wish = compatWish('zoosh', [...ours, ...words], false);
  assert.ok(wish !== undefined);
  const exit = await runZkcli(wish, {
    out: (text) => {
      stdout += text;
    },
    err: (text) => {
      stderr += text;
    },
    async *lines() {
      yield* typed ?? [];
    },
    isPrompt: false,
  });
  return { stdout, stderr, exit };
}
