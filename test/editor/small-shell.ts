/** A shell of a few words over the editor, for tests at a real terminal. Each result is written as `got {...}`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Editor, type EditorHost } from '../../src/editor/editor.ts';
import { FileHistory } from '../../src/editor/history-file.ts';
import { PATIENCE_MS } from '../patience.ts';

const plain = process.argv.includes('--plain');
const nodes: Readonly<Record<string, readonly string[]>> = {
  '/': ['app/', 'zookeeper/', '日本語/'],
  '/app/': ['worker-a/', 'worker-b/', 'worker-c', 'wal'],
  '/zookeeper/': ['config', 'quota'],
  '/many/': Array.from({ length: 400 }, (_, i) => `node-${String(i).padStart(3, '0')}`),
  '/noted/': Array.from({ length: 400 }, (_, i) => `node-${String(i).padStart(3, '0')}`),
};
const commands = ['get', 'getAcl', 'ls', 'slow', 'events', 'quit'];
if (process.argv.includes('--pid')) console.log(`pid ${process.pid}`);
let state = '';
let delay = 5;
/** How many candidates notes were asked for later on. */
let asked = 0;

const host: EditorHost = {
  prompt: () => `\x1b[32mlocal:/${state}>\x1b[0m `,
  continuation: '...> ',
  isComplete: (text) => !text.endsWith('\\') && (text.match(/"/g) ?? []).length % 2 === 0,
  async complete(text, cursor, again) {
    await new Promise((resolve) => setTimeout(resolve, delay));
    const from = text.lastIndexOf(' ', cursor - 1) + 1;
    const word = text.slice(from, cursor);
    if (from === 0)
      return { from, to: cursor, candidates: commands.map((one) => ({ text: one, note: `about ${one}` })) };
    const parent = word.slice(0, word.lastIndexOf('/') + 1);
    if (parent === '/huge/')
      return {
        from,
        to: cursor,
        candidates: [],
        message: again ? 'loaded' : '121,402 children: type more, Tab again loads',
      };
    if (parent === '/denied/') throw new Error('no permission');
    const candidates = (nodes[parent] ?? []).map((name) => ({
      text: parent + name,
      display: name,
      open: name.endsWith('/'),
      ...(parent === '/app/' && { note: name.endsWith('/') ? '3 children' : 'ephemeral  12B' }),
    }));
    if (parent !== '/noted/') return { from, to: cursor, candidates };
    const noted = candidates.map((one, at) => (at < 50 ? { ...one, note: `note ${at}` } : one));
    return {
      from,
      to: cursor,
      candidates: noted,
      async more(some) {
        asked += some.length;
        await new Promise((resolve) => setTimeout(resolve, 1));
        // what is not known stays as it is
        return some.map((one) =>
          one.text.endsWith('-055') ? one : { ...one, text: `${one.text}/`, note: `late ${asked}` },
        );
      },
    };
  },
  highlight(text) {
    const end = text.search(/\s|$/);
    return [
      { from: 0, to: end, style: commands.includes(text.slice(0, end)) ? 'command' : 'unknown' },
      ...[...text.matchAll(/"[^"]*"?/g)].map((m) => ({
        from: m.index,
        to: m.index + m[0].length,
        style: 'string' as const,
      })),
    ];
  },
  hint: (text) => (text.trim() === 'get' ? '[-s] [-w] PATH' : ''),
};
const editor = new Editor({
  input: process.stdin,
  output: process.stdout,
  host,
  history: new FileHistory({ file: process.env.HISTORY_FILE ?? '/dev/null/none' }),
  color: !plain,
  plain: () => plain,
});

function events(count: number, milliseconds: number): void {
  const start = performance.now();
  let done = 0;
  const more = (): void => {
    const due = Math.min(count, Math.ceil((count * (performance.now() - start)) / milliseconds));
    for (; done < due; done++) editor.printAbove(`event ${done + 1} changed /app/config`);
    if (done < count) setImmediate(more);
  };
  more();
}

async function slow(): Promise<void> {
  console.log('working');
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => resolve(console.log('slow is done')), PATIENCE_MS);
    editor.onInterrupt = () => {
      clearTimeout(timer);
      resolve(console.log('slow was interrupted'));
    };
  });
  editor.onInterrupt = undefined;
}

for (;;) {
  const result = await editor.readLine();
  console.log(`got ${JSON.stringify(result)}`);
  if (result.type === 'eof') break;
  if (result.type === 'interrupt') continue;
  const [word, ...rest] = result.text.split(' ');
  if (word === 'quit') break;
  if (word === 'slow') await slow();
  if (word === 'events') events(Number(rest[0]), Number(rest[1]));
  if (word === 'delay') delay = Number(rest[0]);
  if (word === 'later')
    setTimeout(() => {
      state = ' (lost)';
      editor.refresh();
    }, 100);
  if (word === 'lend') {
    editor.onInterrupt = () => console.log('interrupted while lent');
    editor.pause();
    await once(spawn('/bin/sh', ['-c', 'echo lent; read line; echo "child read $line"'], { stdio: 'inherit' }), 'exit');
    // C-c reaches both: the end of the one may be heard before the signal to the other
    await new Promise((resolve) => setTimeout(resolve, 100));
    editor.resume();
    editor.onInterrupt = undefined;
  }
  if (word === 'noeol') process.stdout.write('no newline');
  if (word === 'throw') throw new Error('thrown on purpose');
}
editor.close();
