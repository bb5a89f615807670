import type { Planted } from '../sim/planted/patches.ts';

/** What shuts each hole of cve.ts, taken out of a copy. */
export const OPENED: readonly (Planted & { readonly cve: string })[] = [
  {
    id: 'commands-of-any-size',
    cve: 'CVE-2016-5017',
    about: 'the shell sends what no server takes',
    file: 'shell/data.js',
    find: 'if (size <= REQUEST_LIMIT)',
    put: 'if (size > 0)',
  },
  {
    id: 'all-words',
    cve: 'CVE-2017-5637',
    about: 'all four-letter words are answered',
    file: 'server/config-keys.js',
    find: "'4lw.commands.whitelist': { kind: 'text', fallback: 'srvr' }",
    put: "'4lw.commands.whitelist': { kind: 'text', fallback: '*' }",
  },
  {
    id: 'open-peers',
    cve: 'CVE-2018-8012',
    about: 'members beyond this machine need no proof',
    file: 'server/config-trust.js',
    find: 'if (beyond === undefined || haveProof || insecure)',
    put: 'if (beyond !== null)',
  },
  {
    id: 'secret-not-asked-for',
    cve: 'CVE-2018-8012',
    about: 'the secret is read and not asked for',
    file: 'runtime/peer-trust.js',
    find: 'return pskPeerNetwork({ name: proofName(name, sid), keys: trust.secrets });',
    put: 'return plainPeerNetwork;',
  },
  {
    id: 'acl-for-all',
    cve: 'CVE-2019-0201',
    about: 'getAcl asks for no permission',
    file: 'server/reads.js',
    find: '!isAllowed(tree.acl(row), PERM.read | PERM.admin, identities)',
    put: 'false',
  },
  {
    id: 'hashes-for-readers',
    cve: 'CVE-2019-0201',
    about: 'hashes are shown to whoever may read',
    file: 'server/reads.js',
    find: 'isAllowed(tree.acl(row), PERM.admin, identities) ? tree.acl(row) : maskDigests(tree.acl(row))',
    put: 'tree.acl(row)',
  },
  {
    id: 'events-for-all',
    cve: 'CVE-2024-23944',
    about: 'events are told without a look at the ACL',
    file: 'server/events.js',
    find: "connection.state !== 'open' || !isAllowed(acl, PERM.read, connection.identities)",
    put: "connection.state !== 'open'",
  },
  {
    id: 'catch-up-for-all',
    cve: 'CVE-2024-23944',
    about: 'watches that are set again are told without a look at the ACL',
    file: 'server/reads.js',
    find: 'row === 0 || mayRead(tree, row, connection.identities)',
    put: 'row >= 0',
  },
  {
    id: 'any-name',
    cve: 'CVE-2026-24281',
    about: 'names in certificates are not looked at',
    file: 'platform/peer-pem.js',
    find: 'const isFor = (host, cert) => checkServerIdentity(host, cert) === undefined;',
    put: 'const isFor = () => true;',
  },
];

/** What keeps secrets to themselves, likewise: the canary must be seen. */
export const TOLD: readonly Planted[] = [
  {
    id: 'config-in-the-log',
    about: 'a server logs the settings that it starts with',
    file: 'cli/start.js',
    find: 'for (const note of [...gathered.notes, ...config.notes])',
    put: 'logger.info(JSON.stringify([config.digestAuth, config.ensemble?.tls])); for (const note of [...gathered.notes, ...config.notes])',
  },
  {
    id: 'setting-in-an-error',
    about: 'an error says what stood behind --set',
    file: 'cli/start-failures.js',
    find: "text.includes('=') ? `--set ${text.slice(0, text.indexOf('='))}` : '--set'",
    put: '`--set ${text}`',
  },
  {
    id: 'command-in-an-error',
    about: 'errors for programs have the command as it was typed',
    file: 'shell/shell.js',
    find: 'this.ports.tell({ failure, command: redact(command)',
    put: 'this.ports.tell({ failure, command',
  },
  {
    id: 'history-as-typed',
    about: 'the history file has lines as they were typed',
    file: 'editor/history-file.js',
    find: 'text: redact(text)',
    put: 'text',
  },
];
