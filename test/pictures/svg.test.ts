import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Emulator } from '../editor/emulator.ts';
import { lookOf, runsOf, svgOf } from './svg.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

test('a picture has every text of the screen at its place, in its colours, and nothing of the window below it', () => {
  const screen = new Emulator(40, 10);
  screen.write('\x1b[36mlocal:/>\x1b[39m \x1b[1mget\x1b[22m <a>\r\nname   size\r\n\x1b[2mdim\x1b[0m x');
  assert.deepEqual(
    runsOf(screen.lines[1]?.cells ?? []).map(({ from, text }) => [from, text]),
    [
      [0, 'name'],
      [7, 'size'],
    ],
  );
  const svg = svgOf(screen, 'zoosh');
  const texts = [...svg.matchAll(/textLength[^>]*fill="([^"]*)"([^>]*)>([^<]*)</g)].map(([, fill, more, text]) => [
    text,
    fill,
    more?.trim(),
  ]);
  assert.deepEqual(texts, [
    ['local:/&gt;', '#63cfd3', ''],
    ['get', '#d7dce5', 'font-weight="bold"'],
    ['&lt;a&gt;', '#d7dce5', ''],
    ['name', '#d7dce5', ''],
    ['size', '#d7dce5', ''],
    ['dim', '#808a9c', ''],
    ['x', '#d7dce5', ''],
  ]);
  assert.match(svg, /height="115"/);
  assert.throws(() => lookOf(';48'), /no picture/);
});

test('the README shows every picture there is, and none that is not', () => {
  const shown = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/docs\/pictures\/([a-z]+\.svg)/g)];
  assert.deepEqual(shown.map(([, name]) => name).sort(), readdirSync(join(ROOT, 'docs/pictures')).sort());
});
