import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Reader } from '../../src/protocol/bytes.ts';
import { WatcherEvent } from '../../src/protocol/events.ts';
import { FrameCutter } from '../../src/protocol/frame.ts';
import { ConnectResponse } from '../../src/protocol/handshake.ts';
import { type MultiAnswer, OPERATIONS, type OperationName, ReplyHeader } from '../../src/protocol/operations.ts';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
interface Vector {
  name: string;
  steps: { expect?: string; match?: string; decoded?: { response?: { [name: string]: Json } | string } }[];
}

/** The vectors stay beside the sources; tests run from wherever they were compiled to. */
function vectorFolder(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at))
    if (existsSync(join(at, 'package.json'))) return join(at, 'test/vectors');
  throw new Error('no package.json above this test');
}

const NAMES: Readonly<Record<string, string>> = { timeOut: 'timeoutMs', passwd: 'password' };
const OPS: Readonly<Record<string, OperationName>> = { getACL: 'getAcl', setACL: 'setAcl', createTTL: 'createTtl' };

/** The vector's JSON as our records are: our names, bytes as hex, every number as text since some are bigint with us. */
function plain(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [NAMES[name] ?? name, plain(each)]));
}

/** Our answer to a multi in the vector's words. */
const multiPlain = (answers: readonly MultiAnswer[]): unknown => [
  ...answers.map(({ type, err, result }) => ({
    header: { type, done: false, err },
    record: type === -1 ? { err } : (result ?? {}),
  })),
  { header: { type: -1, done: true, err: -1 } },
];

function decode(from: Reader, response: { [name: string]: Json }): unknown {
  if ('ConnectResponse' in response) return { ConnectResponse: ConnectResponse.read(from) };
  if ('ConnectResponseOld' in response) {
    const { readOnly, ...rest } = ConnectResponse.read(from);
    assert.equal(readOnly, undefined);
    return { ConnectResponseOld: rest };
  }
  const header = ReplyHeader.read(from);
  if ('WatcherEvent' in response) return { ReplyHeader: header, WatcherEvent: WatcherEvent.read(from) };
  const { op } = response;
  if (header.err !== 0) {
    from.at = from.end; // one vector has an empty result list behind an error, and a failed sasl a null token
    return { ReplyHeader: header, op };
  }
  const name = OPS[op as string] ?? (op as OperationName);
  const body = OPERATIONS[name].answer.read(from) as unknown;
  const record = Object.keys(response).find((key) => key !== 'ReplyHeader' && key !== 'op');
  if (record === undefined) {
    assert.deepEqual(body, {}, 'an answer without a body');
    return { ReplyHeader: header, op };
  }
  return { ReplyHeader: header, op, [record]: name.startsWith('multi') ? multiPlain(body as MultiAnswer[]) : body };
}

const folder = vectorFolder();
for (const profile of readdirSync(folder)) {
  const files = readdirSync(join(folder, profile)).filter((name) => name.endsWith('.json'));
  test(`every frame of the real server in ${profile} decodes to what the vector says`, () => {
    let frames = 0;
    for (const file of files) {
      const vector = JSON.parse(readFileSync(join(folder, profile, file), 'utf8')) as Vector;
      vector.steps.forEach(({ expect, decoded }, step) => {
        const response = decoded?.response;
        if (expect === undefined || response === undefined || typeof response === 'string') return;
        const where = `${profile}/${file} step ${step}`;
        new FrameCutter(0xfffff).push(Buffer.from(expect, 'hex'), (bytes, start, end) => {
          const from = new Reader(bytes, start, end);
          const wanted = { ...response };
          const header = wanted.ReplyHeader as { err?: number } | undefined;
          if ((header?.err ?? 0) !== 0)
            for (const key of Object.keys(wanted)) if (key !== 'ReplyHeader' && key !== 'op') delete wanted[key];
          assert.deepEqual(plain(decode(from, response)), plain(wanted), where);
          assert.equal(from.left, 0, `${where}: bytes left over`);
          frames++;
          return true;
        });
      });
    }
    assert.ok(files.length > 0 && frames >= files.length, `${frames} frames in ${files.length} files`);
  });
}
