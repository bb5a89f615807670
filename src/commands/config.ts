import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';

/** The members of the ensemble, as it keeps them itself. */
export default command({
  name: 'config',
  group: 'admin',
  about: 'show the dynamic configuration of the ensemble',
  risk: 'read',
  params: {
    clients: { kind: 'flag', short: '-c', about: 'only version and where clients connect' },
    watch: { kind: 'flag', short: '-w', about: 'report once when it changes' },
    stat: { kind: 'flag', short: '-s', about: 'also show the stat' },
  },
  examples: [
    ['config', 'members and version'],
    ['config -c', 'only the version and the connect string of all servers'],
    ['config -w', 'and a word when members change'],
  ],
  exits: [10],
  async run({ clients, watch, stat: showStat }, context): Promise<Output> {
    if (clients && showStat) throw usage('config: -c cannot be combined with -s');
    const client = await context.client();
    const { data, stat } = await client.getConfig({ signal: context.signal, ...(watch && { watch: context.watched }) });
    const text = data?.toString() ?? '';
    if (text === '' && context.interactive) context.warn('a standalone server has no members: its config is empty');
    if (clients) {
      const short = clientPart(text);
      return { type: 'value', value: short, text: short };
    }
    return { type: 'node', path: '/zookeeper/config', data, stat, showStat, form: 'text' };
  },
});

/** `VERSION host:port,host:port`, as zkCli's -c has it; a client address for all of a host's is given by the host's name. */
export function clientPart(text: string): string {
  const version = /^version=([0-9a-fA-F]+)$/m.exec(text)?.[1] ?? '0';
  const hosts = [...text.matchAll(/^server\.\d+=([^;\n]*)(?:;(.*))?$/gm)].flatMap(([, server = '', client]) => {
    const [plain = ''] = (client ?? '').split(';'); // a secure port may follow
    if (plain === '') return [];
    const [first = ''] = server.split('|');
    const own = /^(\[[^\]]*\]|[^:]*):/.exec(first)?.[1] ?? '';
    const [, port = plain] = /^(?:0\.0\.0\.0|\[(?:::|0(?::0){7})\]):(\d+)$/.exec(plain) ?? [];
    return [port.includes(':') ? port : `${own}:${port}`];
  });
  return `${version} ${hosts.join(',')}`.trimEnd();
}
