const WITH_VALUE: Readonly<Record<string, string>> = {
  '-server': '--server',
  '-timeout': '--timeout',
  '-client-configuration': '--client-config',
};
const ALONE: Readonly<Record<string, string>> = { '-waitforconnection': '--wait-for-connection', '-?': '--help' };

/** zkCli's options with one dash, before the command, to ours. `found`: there were any. */
export function normaliseLegacy(argv: readonly string[]): { argv: string[]; found: boolean } {
  const out: string[] = [];
  let found = false;
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at] as string;
    const long = WITH_VALUE[word];
    if (long !== undefined) {
      found = true;
      out.push(long);
      const value = argv[at + 1];
      if (value !== undefined) {
        out.push(value);
        at++;
      }
    } else if (ALONE[word] !== undefined) {
      found = true;
      out.push(ALONE[word]);
    } else if (word.startsWith('-')) {
      out.push(word);
      if (TAKES_VALUE.has(word) && argv[at + 1] !== undefined) out.push(argv[++at] as string);
    } else break; // the command: what follows is its own
  }
  return { argv: [...out, ...argv.slice(at)], found };
}

/** Our own options whose next word is a value, so that a value is never taken for the command. */
export const TAKES_VALUE = new Set([
  '-s',
  '--server',
  '-p',
  '--profile',
  '--auth',
  '--timeout',
  '--connect-timeout',
  '--op-timeout',
  '--max-reply',
  '--fields',
  '--compat',
  '--tls-ca',
  '--tls-cert',
  '--tls-key',
  '--tls-servername',
  '--client-config',
  '-D',
  '--define',
  '-o',
  '--output',
  '--color',
  '-c',
  '--command',
  '--set',
]);
