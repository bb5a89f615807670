/** One text that is every secret at once, and where it must not be. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { get, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { frame, hello } from '../e2e/raw.ts';

/** Long enough for the secret of an ensemble; of characters that base64, a URL and a shell leave alone. */
export const CANARY = 'canaryZq7Wx2Lk9Vb4Nm1Tc6Rf3Hd8Jp5Gs0';
/** What stands behind names that nothing tells to be those of secrets. */
export const STRAY = 'strayHc4Tn8Wb2Xq6Mf1Jz7Kd3Vr9Lp5Yg0Ss';
/** What `super:CANARY` is kept as. */
export const SUPER_DIGEST = `super:${createHash('sha1').update(`super:${CANARY}`).digest('base64')}`;
export const SECRET_FILE = Buffer.from(CANARY).toString('base64');

const bytes = Buffer.from(CANARY);
/** How it could be written. */
const FORMS: Readonly<Record<string, string>> = {
  'as it is': CANARY,
  'in lower case': CANARY.toLowerCase(),
  'in base64': SECRET_FILE.replace(/=+$/, ''),
  'in hexadecimal': bytes.toString('hex'),
  'as a list of bytes': [...bytes.subarray(0, 12)].join(','),
  'as bytes of a dump': bytes
    .subarray(0, 8)
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 '),
  backwards: [...CANARY].reverse().join(''),
  'its first half': CANARY.slice(0, 18),
  'the digest of super': SUPER_DIGEST.slice(6, -1),
  'as it is, behind a name that tells nothing': STRAY,
};
/** Of each text in which it is: where, and how. */
export const sightings = (
  texts: ReadonlyMap<string, string | Buffer>,
  more: Readonly<Record<string, string>> = {},
): string[] =>
  [...texts].flatMap(([where, text]) => {
    const found = Object.entries({ ...FORMS, ...more }).filter(([, form]) =>
      typeof text === 'string' ? text.includes(form) : text.includes(form, 0, 'latin1'),
    );
    return found.map(([how]) => `${where}: ${how}`);
  });

/** Every file below a folder whose name is not in `given`. */
export function filesIn(folder: string, given: readonly string[] = []): Map<string, Buffer> {
  const out = new Map<string, Buffer>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, name);
    if (!given.includes(name) && statSync(file).isFile()) out.set(file, readFileSync(file));
  }
  return out;
}

/** The answer of a control socket to a line. */
export const control = (path: string, line: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${line}\n`));
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString());
    });
    socket.once('error', reject);
  });
/** The page of figures. */
export const page = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics' }, (response) => {
      let text = '';
      response.on('data', (bytes: Buffer) => (text += bytes.toString()));
      response.on('end', () => resolve(text));
    }).once('error', reject);
  });
/** The answer of an admin server, whole, to somebody who says this of himself. */
export const command = (port: number, name: string, method: string, auth: string | undefined): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = auth === undefined ? {} : { authorization: auth };
    const body = method === 'POST' ? '{"percentage": 0}' : '';
    const sent = request(
      { host: '127.0.0.1', port, path: `/commands/${name}`, method, headers, agent: false },
      (got) => {
        let text = `${got.statusCode} ${JSON.stringify(got.headers)}\n`;
        got.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
        got.on('end', () => resolve(text));
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
/** The password of a session, as only its client is told. */
export async function sessionPassword(port: number): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1', () => socket.write(hello()));
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  const ping = Buffer.from('fffffffe0000000b', 'hex');
  socket.write(frame(ping));
  await once(socket, 'data');
  socket.destroy();
  return bytes.subarray(24, 40);
}
