/** Options of zoosh itself, which stand before a command: for whoever puts one behind it. */
const OUTER = `-s --server -p --profile --auth --timeout --connect-timeout --max-reply --op-timeout -r --allow-ro --read-only --tls
  --tls-ca --tls-cert --tls-key --tls-servername --tls-insecure -o --output --fields --header --progress -q --quiet -v --verbose --color
  --no-color --ascii --no-pager -y --yes -n --dry-run -c --command -k --continue-on-error --atomic --set --compat --no-config --no-history
  --client-config -D --define -V --version`;
export const OUTER_OPTIONS: ReadonlySet<string> = new Set(OUTER.split(/\s+/));
/** At a prompt, where nothing stands before a command. */
const INSTEAD: Readonly<Record<string, string>> = {
  '-o': 'settings output',
  '--output': 'settings output',
  '-s': 'connect',
  '--server': 'connect',
  '-p': 'use',
  '--profile': 'use',
  '--auth': 'addauth',
};

/** The hint for `option` behind `command`; undefined when it is none of zoosh itself. */
export function outerHint(option: string, command: string): string | undefined {
  if (!OUTER_OPTIONS.has(option)) return undefined;
  const instead = INSTEAD[option];
  return `it goes before the command: zoosh ${option} ... ${command} ...${instead === undefined ? '' : `; at a prompt: ${instead}`}`;
}
