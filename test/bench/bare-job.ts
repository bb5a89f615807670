/**
 * The least that a server of Node can be, for comparison: `bare-job.js`, forked; sends its port. Takes every connection in,
 * answers the first bytes with a session and all further ones with a reply of 16 bytes, and knows nothing.
 */
import { createServer } from 'node:net';

const session = Buffer.alloc(41);
session.writeInt32BE(37, 0);
session.writeInt32BE(30_000, 8);
session.writeBigInt64BE(1n, 12);
session.writeInt32BE(16, 20);
const reply = Buffer.alloc(20);
reply.writeInt32BE(16, 0);

const server = createServer({ noDelay: true }, (socket) => {
  let isFirst = true;
  socket.on('error', () => {});
  socket.on('data', () => {
    socket.write(isFirst ? session : reply);
    isFirst = false;
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.(address.port);
});
process.on('disconnect', () => process.exit(0));
