import type { ServerResponse } from 'node:http';
import type { Health, Verdict } from '../health.ts';

const ASKED: Readonly<Record<string, (health: Health) => Verdict | Promise<Verdict>>> = {
  // whoever answers lives
  '/live': () => ({ ok: true, why: undefined }),
  '/ready': (health) => health.ready(),
  '/healthy': (health) => health.healthy(),
};

/** Answers `/live`, `/ready` and `/healthy` with 200 or 503 and a line that says why. False when that is none of them. */
export async function answerProbe(
  path: string,
  method: string,
  health: Health,
  response: ServerResponse,
): Promise<boolean> {
  const ask = Object.hasOwn(ASKED, path) ? ASKED[path] : undefined;
  if (ask === undefined) return false;
  const isRead = method === 'GET' || method === 'HEAD';
  const { ok, why } = isRead ? await verdictOf(ask, health) : { ok: false, why: 'probes are asked by GET' };
  const text = `${ok ? 'ok' : why}${health.remark === undefined ? '' : `; ${health.remark}`}\n`;
  const body = Buffer.from(text);
  response.writeHead(isRead ? (ok ? 200 : 503) : 405, { 'content-type': 'text/plain', 'content-length': body.length });
  response.end(body);
  return true;
}
/** A fault on the way to an answer is one: it must not end the server that is looked after. */
async function verdictOf(ask: (health: Health) => Verdict | Promise<Verdict>, health: Health): Promise<Verdict> {
  try {
    return await ask(health);
  } catch (error) {
    return { ok: false, why: `it cannot be told: ${(error as Error).message}` };
  }
}
