import type { Random } from '../base/random.ts';
import type { HostFailure } from '../client/api.ts';
import type { ClientPorts } from '../client/connect.ts';
import { parseConnectString, showServer } from '../client/connect-string.ts';
import { failureReason } from '../client/failure-reason.ts';
import { realClock } from '../platform/clock.ts';
import { tcpDialer } from '../platform/tcp.ts';

const random: Random = {
  below: (bound) => Math.floor(Math.random() * bound),
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
};

/** What a client needs of the world. */
export const realPorts: ClientPorts = { clock: realClock, dialer: tcpDialer, random };

/**
 * The same, and when none of the servers takes a connection that is told once, with the reason of each: the client itself goes
 * on trying, and says nothing until its time is over.
 */
export function tellingRefusals(
  { dialer, ...ports }: ClientPorts,
  connectString: string,
  refused: (hosts: readonly HostFailure[]) => void,
): ClientPorts {
  const { servers } = parseConnectString(connectString);
  const reasons = new Map<string, string>();
  let isTold = false;
  return {
    ...ports,
    dialer: {
      dial: async (options, handler, signal) => {
        const host = showServer(options);
        try {
          const connection = await dialer.dial(options, handler, signal);
          reasons.delete(host);
          return connection;
        } catch (error) {
          if (signal?.aborted !== true) reasons.set(host, failureReason(error));
          if (!isTold && servers.every((server) => reasons.has(showServer(server)))) {
            isTold = true;
            refused([...reasons].map(([host, reason]) => ({ host, reason })));
          }
          throw error;
        }
      },
    },
  };
}
