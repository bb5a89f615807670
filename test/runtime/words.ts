import { connect } from 'node:net';

/** What the server at this port of the loopback answers to a four-letter word. */
export function word(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let out = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    socket.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    socket.once('error', () => {});
    socket.once('close', () => resolve(out));
  });
}
