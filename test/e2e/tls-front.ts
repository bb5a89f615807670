/** TLS that ends here and goes on plain, as in front of any server. */
import { type AddressInfo, connect } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';

export class TlsFront implements Disposable {
  readonly hosts: string;
  readonly #end: () => void;
  private constructor(hosts: string, end: () => void) {
    this.hosts = hosts;
    this.#end = end;
  }
  /** In front of `port` of this machine. `seen`: each connection, once its handshake is done. */
  static async open(
    options: TlsOptions,
    port: number,
    seen: (socket: TLSSocket) => void = () => {},
  ): Promise<TlsFront> {
    const front = createServer(options, (socket) => {
      seen(socket);
      const back = connect(port, '127.0.0.1');
      socket.pipe(back).pipe(socket);
      socket.on('error', () => back.destroy());
      back.on('error', () => socket.destroy());
    });
    front.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => front.listen(0, 'localhost', resolve));
    return new TlsFront(`localhost:${(front.address() as AddressInfo).port}`, () => front.close());
  }
  [Symbol.dispose](): void {
    this.#end();
  }
}
