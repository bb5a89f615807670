/** Trees of any size as files that `import` takes. */
import { closeSync, openSync, writeSync } from 'node:fs';

/** `square`: as many folders as each has children; `wide`: one folder. */
export type Shape = 'square' | 'wide';

const line = (path: string): string =>
  `{"path":"${path}","data":"0123456789abcdef","encoding":"utf8","kind":"persistent","acl":[{"scheme":"world","id":"anyone","perms":"cdrwa"}]}\n`;

function* pathsOf(shape: Shape, nodes: number): Generator<string> {
  const root = `/${shape}`;
  yield root;
  if (shape === 'wide') {
    for (let at = 0; at < nodes; at++) yield `${root}/n${String(at).padStart(7, '0')}`;
    return;
  }
  const side = Math.round(Math.sqrt(nodes));
  for (let folder = 0; folder < side; folder++) {
    const path = `${root}/d${String(folder).padStart(4, '0')}`;
    yield path;
    for (let at = 0; at < side; at++) yield `${path}/n${String(at).padStart(4, '0')}`;
  }
}

/** Writes `/SHAPE` with about `nodes` below it, 16 bytes of data each; how many lines. */
export function writeTree(file: string, shape: Shape, nodes: number): number {
  const fd = openSync(file, 'w');
  try {
    let text = `{"zoosh":"export","version":1,"root":"/${shape}","acl":true}\n`;
    let count = 0;
    for (const path of pathsOf(shape, nodes)) {
      text += line(path);
      if (++count % 1000 !== 0) continue;
      writeSync(fd, text);
      text = '';
    }
    writeSync(fd, text);
    return count;
  } finally {
    closeSync(fd);
  }
}
