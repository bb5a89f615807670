/** What a client may make members store and send each other, at most; each bound holds wherever it is decided, written and read. */

/** Bytes of one request, which a learner forwards whole. `jute.maxbuffer` may be lower, not higher. */
export const MAX_REQUEST = 32 * 1024 * 1024;
/**
 * Bytes of one transaction: behind all that a group of the log holds already it still fits, and into a frame between members.
 * Whoever decides one sees to it, on the transaction and not on its request (A7, ZOOKEEPER-3496).
 */
export const MAX_TXN_BYTES = 44 * 1024 * 1024;
/** Of an identity that a client has proved, bytes. */
export const MAX_SCHEME = 256;
export const MAX_ID = 4096;
/** Identities that one forwarded request may carry; a connection has fewer. */
export const MAX_IDENTITIES = 1024;
/** What a member's record may say of itself. */
export const MAX_MEMBERS = 255;
export const MAX_ADDRESSES = 16;
export const MAX_ADDRESS = 1024;
