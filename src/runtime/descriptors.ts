/** What to do about too few of them, a sentence. */
export const RAISE_DESCRIPTORS = 'Raise the limit of open files (LimitNOFILE= of systemd, ulimit -n)';

/**
 * At most so many are kept from clients: for the files of the log and of snapshots, and for what listens. Half of it and more is
 * for strangers, who are let go soon: 128 at the ports of members, 100 at the admin server.
 */
const MOST_KEPT = 300;
/** A server that does nothing has about so many open. */
const LEAST_KEPT = 32;

/** Connections of clients at once, where nobody said how many, by how many descriptors the process may have. */
export const clientsFor = (descriptors: number): number =>
  Math.max(1, descriptors - Math.min(MOST_KEPT, LEAST_KEPT + Math.floor(descriptors / 4)));
