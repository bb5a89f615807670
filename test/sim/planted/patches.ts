/** A bug, as a change of one place in a copy of what was compiled. `find` stands there exactly once. */
export interface Planted {
  readonly id: string;
  readonly about: string;
  /** Below `dist/src`. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
  /** Limits of the seeds that look for it, when it can only show under these. */
  readonly with?: readonly string[];
}

const agreement: readonly Planted[] = [
  {
    id: 'newleader-before-durable',
    about: 'NEWLEADER is acknowledged while the synchronised history is still on its way to the disk (3911)',
    file: 'zab/learning.js',
    find: 'state.staging || state.cutting || isBefore(incoming.durable, this.newLeaderAt)',
    put: 'state.staging || state.cutting',
  },
  {
    id: 'promise-in-memory',
    about: 'an epoch is promised before it is on the disk',
    file: 'zab/learning.js',
    find: 'state.store(info.epoch, state.currentEpoch);',
    put: 'state.acceptedEpoch = info.epoch; this.ackEpoch(link);',
  },
  {
    id: 'epoch-with-the-promise',
    about: 'currentEpoch is raised with the promise, before the history is there (4643)',
    file: 'zab/learning.js',
    find: 'state.store(info.epoch, state.currentEpoch);',
    put: 'state.store(info.epoch, info.epoch);',
  },
  {
    id: 'ack-all-received',
    about: 'a learner acknowledges what it received, not what is durable',
    file: 'zab/learning.js',
    find: 'const { durable } = state.history;',
    put: 'const durable = { epoch: state.history.last.epoch, counter: state.history.last.counter };',
  },
  {
    id: 'any-incarnation',
    about: 'a wiped server counts as the one that it was',
    file: 'zab/quorum.js',
    find: 'member.sid === sid && member.incarnation === incarnation',
    put: 'member.sid === sid',
  },
  {
    id: 'half-is-a-quorum',
    about: 'half of the weight is enough',
    file: 'zab/quorum.js',
    find: 'return heard * 2 > weight;',
    put: 'return heard * 2 > weight - 1;',
    with: ['--voters', '4'],
  },
  {
    id: 'one-less-than-a-quorum',
    about: 'one voter fewer than a majority is enough',
    file: 'zab/quorum.js',
    find: 'return heard * 2 > weight;',
    put: 'return heard * 2 + 2 > weight;',
  },
  {
    id: 'sync-without-a-round',
    about: 'a sync is answered without asking whether this member still leads',
    file: 'zab/probes.js',
    find: 'round: this.round + 1, after',
    put: 'round: 0, after',
    with: ['--voters', '3', '--profile', 'readers'],
  },
  {
    id: 'sync-before-applied',
    about: 'a sync is answered before what it waits for is applied',
    file: 'zab/probes.js',
    find: 'first.round > this.answered || isBefore(applied, first.after)',
    put: 'first.round > this.answered',
  },
  {
    id: 'learner-sync-not-awaited',
    about: 'a learner answers a sync before it has applied what the leader named',
    file: 'server/learner-desk.js',
    find: 'this.server.await(message.upTo, then);',
    put: 'then();',
  },
  {
    id: 'apply-what-is-not-durable',
    about: 'a member applies what others hold and its own disk does not (4882)',
    file: 'zab/state.js',
    find: 'const upTo = earlier(this.history.committed, this.history.durable);',
    put: 'const upTo = this.history.committed;',
  },
  {
    id: 'old-generation-counts',
    about: 'an answer of the disk for a log that was cut since is believed',
    file: 'zab/state.js',
    find: 'if (generation !== incoming.generation)',
    put: 'if (generation > incoming.generation)',
  },
  {
    id: 'cut-too-far-back',
    about: 'a learner with an older end in an epoch is cut one record too few: it is told to go on from its own end',
    file: 'zab/sync.js',
    find: "return end === last ? { type: 'diff', from: markOf(end) } : { type: 'trunc', to: markOf(end) };",
    put: "return { type: 'diff', from: markOf(last) };",
  },
  {
    id: 'commit-lost-in-sync',
    about: 'a learner forgets what UPTODATE says is committed',
    file: 'zab/learning.js',
    find: 'this.commit(committed);\n',
    put: '\n',
  },
  {
    id: 'leader-below-accepted',
    about: 'a member follows a leader below the epoch it has promised, and its word counts',
    file: 'zab/learning.js',
    find: 'this.old = info.epoch <= state.acceptedEpoch;',
    put: 'this.old = false;',
  },
];

const disk: readonly Planted[] = [
  {
    id: 'ack-before-fsync',
    about: 'a group is told to be on the disk when its write begins',
    file: 'storage/txn-log.js',
    find: 'const { generation, committed } = this;',
    put: 'const { generation, committed } = this; queueMicrotask(() => { if (!this.retired) this.events.persisted(generation, group.last.hi, group.last.lo); });',
  },
  {
    id: 'no-dsync',
    about: 'the log is written without O_DSYNC',
    file: 'storage/log-file.js',
    find: 'exclusive: true, dsync',
    put: 'exclusive: true, dsync: false',
  },
  {
    id: 'no-directory-sync',
    about: 'the folder is not synced after the identity record was renamed into it',
    file: 'storage/files.js',
    find: 'await disk.syncDir(folder);',
    put: '',
  },
  {
    id: 'no-file-sync',
    about: 'the identity record is renamed before it is synced',
    file: 'storage/files.js',
    find: 'await file.sync();',
    put: '',
  },
  {
    id: 'damage-is-cut',
    about: 'a damaged last group is taken for a torn one and cut',
    file: 'storage/log-scan.js',
    find: 'if (!this.newest || !missing)',
    put: 'if (!this.newest)',
  },
  {
    id: 'checksum-not-looked-at',
    about: 'the checksum of a group is not looked at',
    file: 'storage/log-scan.js',
    find: 'if (!groupBodyIsWhole(buffer, offset, header)) {',
    put: 'if (false) {',
  },
  {
    id: 'purge-one-too-many',
    about: 'purge removes one log file that is still needed',
    file: 'storage/purge.js',
    find: 'return drop;',
    put: 'return Math.min(logs.length - 1, drop + 1);',
  },
  {
    id: 'write-goes-on-after-error',
    about: 'a failed write of the log is tried again as if nothing had been',
    file: 'storage/txn-log.js',
    find: 'this.unknown = group;\n                    this.fail(error);',
    put: 'this.wrote(group, file, out.length, generation);',
  },
  {
    id: 'snapshot-forgets-creates',
    about: 'a snapshot keeps the number of children where the counter of creates belongs (3249)',
    file: 'tree/snapshot.js',
    find: 'to.int(tree.creates(row));',
    put: 'to.int(tree.children(row));',
  },
];

const service: readonly Planted[] = [
  {
    id: 'reconnect-to-the-past',
    about: 'a client is taken by a server that is behind what it has seen',
    file: 'server/server.js',
    find: ' || request.lastZxidSeen > last',
    put: '',
  },
  {
    id: 'ephemerals-stay',
    about: 'the end of a session leaves its ephemerals where it is replayed (3471)',
    file: 'tree/apply.js',
    find: 'removeEphemerals(tree, hi, lo, txn.id, Number.POSITIVE_INFINITY, sink);',
    put: 'if (sink !== NO_SINK) removeEphemerals(tree, hi, lo, txn.id, Number.POSITIVE_INFINITY, sink);',
  },
  {
    id: 'no-children-event-on-delete',
    about: 'a deletion does not tell who watches the children of the parent',
    file: 'server/events.js',
    find: 'const told = this.fire(path, EVENT.NodeDeleted, acl);\n        this.fireChild(path, EVENT.NodeDeleted, acl, told);\n        this.fireChild(parentPath, EVENT.NodeChildrenChanged, this.tree.acl(parent));',
    put: 'const told = this.fire(path, EVENT.NodeDeleted, acl);\n        this.fireChild(path, EVENT.NodeDeleted, acl, told);',
  },
  {
    id: 'catch-up-forgets',
    about: 'a watch that is set again after a reconnect is not told of what changed meanwhile',
    file: 'server/reads.js',
    find: 'else if (tree.isAfter(row, AT.mzxid, relativeZxid))\n            tell(EVENT.NodeDataChanged, path, row);',
    put: '',
  },
  {
    id: 'wall-clock-in-the-tracker',
    about: 'sessions are timed by the wall clock (1626)',
    file: 'runtime/node.js',
    find: 'this.server.now = this.ports.clock.monotonic();',
    put: 'this.server.now = this.ports.clock.wall();',
  },
  {
    id: 'touches-not-told',
    about: 'a follower does not tell its leader of whom it heard',
    file: 'server/learner-desk.js',
    find: 'this.heardOf.add(session);',
    put: '',
  },
  {
    id: 'failed-multi-leaves-traces',
    about: 'a multi that fails is not taken back from what is decided ahead',
    file: 'server/multi.js',
    find: 'pending.rollBack();',
    put: 'pending.keep();',
  },
  {
    id: 'version-unchecked',
    about: 'setData looks at no version',
    file: 'server/prepare.js',
    find: 'if (version !== -1 && version !== node.version)\n            return KEEPER_CODES.BadVersion;\n        const next',
    put: 'const next',
  },
  {
    id: 'moved-session-is-served',
    about: 'a request that comes late by the server that its session has left is executed (710)',
    file: 'server/leader-desk.js',
    find: 'else if (owner !== link) {',
    put: 'else if (false) {',
  },
  {
    id: 'write-overtakes-sync',
    about: 'a write behind a sync is begun at once',
    file: 'server/server.js',
    find: 'if (connection.syncs > 0 && this.peer.isMember)',
    put: 'if (false)',
  },
  {
    id: 'closing-session-may-create',
    about: 'a session whose end is decided may still create',
    file: 'server/leader-desk.js',
    find: 'if (tracked?.closing === true)',
    put: 'if (false)',
  },
];

export const PLANTED: readonly Planted[] = [...agreement, ...disk, ...service];
