import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/** A TCP relay to a server, which can go silent: what is sent is lost, and neither end is told. */
export class Relay implements AsyncDisposable {
  readonly connectString: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #state: { silent: boolean };
  private constructor(server: Server, sockets: Set<Socket>, state: { silent: boolean }) {
    this.#server = server;
    this.#sockets = sockets;
    this.#state = state;
    this.connectString = `127.0.0.1:${(server.address() as { port: number }).port}`;
  }
  static async open(target: string): Promise<Relay> {
    const port = Number(target.slice(target.lastIndexOf(':') + 1));
    const sockets = new Set<Socket>();
    const state = { silent: false };
    const server = createServer((from) => {
      const to = dial({ port, host: '127.0.0.1' });
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        sockets.add(one);
        one.on('error', () => {});
        one.on('data', (bytes) => {
          if (!state.silent) other.write(bytes);
        });
        one.on('close', () => {
          sockets.delete(one);
          if (!state.silent) other.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Relay(server, sockets, state);
  }
  silence(): void {
    this.#state.silent = true;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
