import { connect } from 'node:net';
import type { ControlAnswer, ControlRequest, ControlResults } from '../runtime/control-messages.ts';

/** The member did not do what it was asked, and says why. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
}

const ANSWER_MS = 2000;

/**
 * Asks a member over its control socket. @throws ControlError when it says no, Error with an errno `code` (ETIMEDOUT
 * included) when it does not answer
 */
export function askMember<R extends ControlRequest>(
  path: string,
  request: R,
  timeoutMs = ANSWER_MS,
): Promise<ControlResults[R['op']]> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = '';
    const timer = setTimeout(
      () => socket.destroy(Object.assign(new Error(`no answer in ${timeoutMs}ms`), { code: 'ETIMEDOUT' })),
      timeoutMs,
    );
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      reject(Object.assign(new Error('it hung up'), { code: 'ECONNRESET' }));
    });
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!text.endsWith('\n')) return;
      const answer = JSON.parse(text) as ControlAnswer;
      if (answer.ok) resolve(answer.result as ControlResults[R['op']]);
      else reject(new ControlError(answer.error));
      socket.destroy();
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}
