import { resolve } from 'node:path';
import { type ArchiveWriter, checkFolder, folderWriter, linesWriter, packedWriter } from '../shell/archive-write.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { narrowing } from '../shell/file-target.ts';
import { hasMasked, recordOf } from '../shell/node-record.ts';
import type { Output } from '../shell/output.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { fileSink, gathered, gzipSink, type Sink } from '../shell/sink.ts';
import { plural, showBytes } from '../shell/units.ts';
import { walkNodes } from '../shell/walk.ts';
import { Denied, inflightOf, totalFrom, withSuggestion } from './support.ts';

/** A subtree to a file. */
export default command({
  name: 'export',
  group: 'bulk',
  about: 'write a node and all below it into a file',
  risk: 'read',
  params: {
    path: { kind: 'path', about: 'the subtree' },
    file: {
      kind: 'file',
      about: 'the file, or the folder of --format dir; default - for standard output',
      optional: true,
    },
    format: {
      kind: 'enum',
      long: '--format',
      about: 'ndjson: lines of JSON (default); archive: one packed file with a checksum; dir: one folder for each node',
      values: ['ndjson', 'archive', 'dir'],
      placeholder: 'FORMAT',
    },
    noAcl: { kind: 'flag', long: '--no-acl', about: 'without ACLs' },
    noStat: {
      kind: 'flag',
      long: '--no-stat',
      about: 'without versions and times, so that only contents make a difference',
    },
    ephemerals: { kind: 'flag', long: '--ephemerals', about: 'ephemeral nodes, too' },
    gzip: { kind: 'flag', long: '--gzip', about: 'compressed' },
  },
  examples: [
    ['export /app app.ndjson', 'lines that can be read, compared, kept in git'],
    ['export --format archive --gzip / all.zka', 'everything in one file with a checksum'],
    ['export /app | grep level', 'to a program'],
  ],
  exits: [10, 14],
  notes: [
    'The file is readable by its owner alone. One that is there is replaced once all is read; when others could read that one, a note says that they no longer can. With > FILE it is as the system makes it.',
    'A device or a pipe is written to as it is, and a folder that is there keeps its permissions; the files in it are for their owner alone. /zookeeper is left out unless it is named.',
    'The last line of ndjson says that it is the last, an archive ends with a count and a checksum, a folder a list of its nodes in __nodes__: what was cut is known as such.',
    'A folder has a file __incomplete__ in it until it is whole, and is not read with it; what fails removes what it wrote. No folder in it is empty, so that git keeps them all.',
    'A name of more than 255 bytes, escapes counted, cannot be one of a folder.',
    'Each node is of one moment, the whole is not: what others change meanwhile is reported at the end.',
    'What may not be read is noted as such: apply --prune and mirror --delete from such a file are refused, and leave it alone otherwise.',
    'A password hash that may not be read is marked "masked": import refuses it.',
    'Servers do not tell containers and TTL nodes apart from others: they come out persistent.',
  ],
  async run({ path, file = '-', format = 'ndjson', noAcl, noStat, ephemerals, gzip }, context): Promise<Output> {
    const isFolder = format === 'dir';
    if (file === '') throw usage('cannot write: the name of the file is empty');
    if (isFolder && file === '-') throw usage('export: --format dir needs a folder to write to');
    if (isFolder && gzip) throw usage('export: a folder cannot be compressed');
    // said before anything is read
    if (isFolder) checkFolder(file);
    const narrowed = isFolder || file === '-' ? undefined : narrowing(file);
    const client = await context.client();
    const { signal } = context;
    await client.sync(path, { signal });
    await withSuggestion(path, context, () => client.get(path, { signal }));
    const began = client.lastZxid;
    const writer = await writerOf(file, format, { root: path, acl: !noAcl, stat: !noStat, gzip }, context);
    const seen = { nodes: 0, bytes: 0, ephemerals: 0, masked: 0, moved: 0 };
    const denied = new Denied();
    using progress = context.progress(`exporting ${path}`);
    const total = await totalFrom(client, path, progress, context);
    try {
      const walk = { signal, inflight: inflightOf(context), data: true, acl: !noAcl, skip: skipsOwn(client, path) };
      for await (const node of walkNodes(client, path, walk)) {
        if (node.denied) {
          denied.add(node.path);
          await writer.unread(node.path);
          continue;
        }
        if (node.stat.ephemeralOwner !== 0n && !ephemerals) {
          seen.ephemerals++;
          continue;
        }
        if (hasMasked(node.acl)) seen.masked++;
        if (node.stat.mzxid > began) seen.moved++;
        seen.bytes += node.stat.dataLength;
        await writer.node(recordOf(node, !noAcl));
        progress.update(++seen.nodes, total);
      }
      await writer.end();
    } catch (error) {
      writer.abandon();
      throw error;
    }
    if (narrowed !== undefined) context.warn(narrowed);
    denied.tell(context, 'read');
    if (seen.ephemerals > 0) context.warn(`${plural(seen.ephemerals, 'ephemeral node')} left out (--ephemerals)`);
    if (seen.masked > 0)
      context.warn(`${plural(seen.masked, 'ACL')} came without password hashes, for lack of admin; marked "masked"`);
    if (seen.moved > 0) context.warn(`${plural(seen.moved, 'node')} changed while this was read`);
    const exit = denied.any ? { exit: 14 } : {};
    if (file === '-') return { type: 'many', parts: [], ...exit };
    const text = `exported ${plural(seen.nodes, 'node')}, ${showBytes(seen.bytes)} of data to ${file}`;
    return { type: 'done', text, json: { path, file: resolve(file), nodes: seen.nodes, bytes: seen.bytes }, ...exit };
  },
});

interface Wishes {
  readonly root: string;
  readonly acl: boolean;
  readonly stat: boolean;
  readonly gzip: boolean;
}

async function writerOf(
  file: string,
  format: string,
  { gzip, ...options }: Wishes,
  context: CommandContext,
): Promise<ArchiveWriter> {
  if (format === 'dir') return folderWriter(file, options);
  const out: Sink = file === '-' ? gathered((chunk) => context.write(chunk)) : fileSink(file, context.signal);
  const sink = gzip ? gzipSink(out) : out;
  return format === 'archive' ? packedWriter(sink, options) : linesWriter(sink, options);
}
