import { KeeperError } from '../base/errors.ts';
import { statText } from '../out/zkcli.ts';
import { usageText } from './texts.ts';
import { CommandFault, type ZkCommand } from './types.ts';

/** `4=host:...` to `server.4=host:...`. */
const withPrefix = (text: string): string =>
  text
    .toLowerCase()
    .split(',')
    .map((each) => (/^\d+=/.test(each) ? `server.${each}` : each))
    .join(',');

/** Who belongs to the ensemble. */
export const reconfig: ZkCommand = {
  options: {
    s: {},
    v: { value: true },
    file: { value: true },
    members: { value: true },
    add: { value: true },
    remove: { value: true },
  },
  words: 1,
  async run({ options, all }, context) {
    const isIncremental = options.has('add') || options.has('remove');
    if (!isIncremental && !options.has('file') && !options.has('members'))
      throw new CommandFault(usageText('reconfig', context.version));
    if (isIncremental && (options.has('file') || options.has('members')))
      throw new CommandFault(
        "Can't use -file or -members together with -add or -remove (mixing incremental and non-incremental modes is not allowed)",
      );
    if (options.has('file') && options.has('members'))
      throw new CommandFault("Can't use -file and -members together (conflicting non-incremental modes)");
    const said = options.get('v');
    if (said !== undefined && !/^[0-9a-f]{1,16}$/i.test(said))
      throw new CommandFault('-v must be followed by a long (configuration version)');
    const file = options.get('file');
    const members = file === undefined ? all.get('members')?.join(',') : membersIn(file, context.readFile);
    const joining = all.get('add')?.join(',');
    const leaving = all.get('remove')?.join(',');
    const client = await context.client();
    const change = {
      ...(joining !== undefined && { joining: withPrefix(joining) }),
      ...(leaving !== undefined && { leaving }),
      ...(members !== undefined && { members: withPrefix(members) }),
      ...(said !== undefined && { version: BigInt(`0x${said}`) }),
    };
    const { data, stat } = await client.reconfig(change).catch((error) => {
      throw error instanceof KeeperError ? new KeeperError(error.code, '') : error; // Java's has no path
    });
    context.out(`Committed new configuration:\n${data?.toString() ?? ''}\n`);
    if (options.has('s')) context.out(statText(stat));
  },
};

/** The members a file names. @throws CommandFault */
function membersIn(file: string, read: (file: string) => string): string {
  let text: string;
  try {
    text = read(file);
  } catch {
    throw new CommandFault(`Error processing ${file}${file} (No such file or directory)`);
  }
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /^(?:server|group|weight)\./.test(line))
    .join(',');
}
