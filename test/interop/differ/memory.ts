/** Our server in memory, behind a door. */
import { seededRandom } from '../../../src/base/random.ts';
import { ClientConnection } from '../../../src/server/connection.ts';
import { SUPER_DIGEST } from '../../security/access/pure-wire.ts';
import { rig } from '../../server/rig.ts';
import type { Door } from './talk.ts';

/** Wall clock of the server there, ms. */
export const WALL = 1_700_000_000_000;

export function memoryDoor(): Door {
  const told = new Map<ClientConnection, (bytes: Buffer) => void>();
  const { server, settle, closed } = rig(seededRandom(1), {
    server: {
      auth: { superDigest: SUPER_DIGEST, digestAlgorithm: 'sha1', digestEnabled: true },
      enforceQuota: false,
      reconfigEnabled: false,
    },
    sent: (connection, bytes) => told.get(connection)?.(Buffer.from(bytes)),
  });
  let ids = 0;
  return {
    async dial(hear, ended) {
      const connection = new ClientConnection(++ids, '127.0.0.1', 1, 0);
      told.set(connection, hear);
      const end = (): void => {
        if (!told.delete(connection)) return;
        server.disconnected(connection);
        ended();
      };
      const sweep = (): void => {
        settle();
        if (closed.has(connection)) end();
      };
      return {
        destroy: end,
        write(bytes) {
          for (let at = 0; at < bytes.length && told.has(connection); ) {
            const to = at + 4 + bytes.readInt32BE(at);
            if (connection.state === 'open') server.receive(connection, bytes, at + 4, to);
            else server.handshake(connection, bytes, at + 4, to);
            at = to;
            sweep();
          }
        },
      };
    },
  };
}
