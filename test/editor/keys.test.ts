import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { type Key, KeyDecoder } from '../../src/editor/keys.ts';

const show = (keys: readonly Key[]): string =>
  keys.map((key) => (key.type === 'key' ? `<${key.name}>` : key.type === 'text' ? key.text : `[${key.text}]`)).join('');
const decode = (text: string): string => {
  const decoder = new KeyDecoder();
  return show([...decoder.feed(Buffer.from(text)), ...decoder.flush()]);
};

test('keys of the terminals in use have their names', () => {
  const table: readonly (readonly [string, string])[] = [
    ['ls /\r', 'ls /<Enter>'],
    ['\x01\x05\x17\x1f\x00', '<C-a><C-e><C-w><C-_><C-Space>'],
    ['\t\x1b[Z\x7f\b', '<Tab><S-Tab><Backspace><Backspace>'],
    ['\x1b[A\x1bOA\x1b[B\x1b[C\x1b[D', '<Up><Up><Down><Right><Left>'],
    ['\x1b[H\x1b[F\x1bOH\x1bOF\x1b[1~\x1b[4~\x1b[7~\x1b[8~', '<Home><End><Home><End><Home><End><Home><End>'],
    ['\x1b[3~\x1b[5~\x1b[6~', '<Delete><PageUp><PageDown>'],
    ['\x1b[1;5C\x1b[1;5D\x1b[1;3C\x1b[1;2A\x1b[1;7B', '<C-Right><C-Left><M-Right><S-Up><C-M-Down>'],
    ['\x1bOd\x1b[3^\x1b[a', '<C-Left><C-Delete><S-Up>'],
    ['\x1bb\x1b.\x1b\x7f\x1b\r\x1b\x01', '<M-b><M-.><M-Backspace><M-Enter><C-M-a>'],
    ['\x1b\x1b[A', '<Escape><Up>'],
    ['\x1b', '<Escape>'],
    ['\x1b[', '<M-[>'],
    ['\x1b[97;5u\x1b[27;5;13~\x1b[228;1u\x1b[9;2u', '<C-a><C-Enter>ä<S-Tab>'],
    ['\x1b[[A', '<F1>'],
    ['\x1b[15~\x1bOP', '<F5><F1>'],
    // reports and focus are no keys
    ['a\x1b[I\x1b[O\x1b[12;40R\x1b[?62;22cb', 'ab'],
    // broken off in the middle: what follows is whole again
    ['\x1b[1;\x01x', '<C-a>x'],
    ['日本é👍', '日本é👍'],
    ['\x1b[200~a\tb\r\nc\rd\x1b[A\x1b[201~\r', '[a\tb\nc\nd\x1b[A]<Enter>'],
  ];
  for (const [bytes, keys] of table) assert.equal(decode(bytes), keys, JSON.stringify(bytes));
});

test('it does not matter where the bytes are cut', () => {
  const text = 'ls 日本👍\x1b[1;5D\x1bb\x1b[200~x\ty\r\nz\x1b[20\x1b[201~\x1bOA\x1b[3~é\t\t\r';
  const whole = decode(text);
  const bytes = Buffer.from(text);
  const random = seededRandom(7);
  for (let round = 0; round < 500; round++) {
    const decoder = new KeyDecoder();
    const keys: Key[] = [];
    for (let at = 0; at < bytes.length; ) {
      const next = at + 1 + random.below(round < 100 ? 1 : 9);
      keys.push(...decoder.feed(bytes.subarray(at, next)));
      at = next;
    }
    assert.equal(show(keys), whole);
    assert.equal(decoder.waiting, false);
  }
});

test('an escape alone waits, and so does the beginning of a sequence', () => {
  const decoder = new KeyDecoder();
  assert.deepEqual(decoder.feed(Buffer.from('a\x1b')), [{ type: 'text', text: 'a' }]);
  assert.equal(decoder.waiting, true);
  assert.deepEqual(decoder.flush(), [{ type: 'key', name: 'Escape' }]);
  assert.equal(decoder.waiting, false);
  assert.deepEqual(decoder.feed(Buffer.from('\x1b[1;')), []);
  assert.equal(decoder.waiting, true);
  assert.deepEqual(decoder.feed(Buffer.from('5C')), [{ type: 'key', name: 'C-Right' }]);
});

test('a paste that never ends is left by C-c, and a long silence does not make its rest into keys', () => {
  const decoder = new KeyDecoder();
  decoder.feed(Buffer.from('\x1b[200~rm -r'));
  assert.equal(decoder.waiting, false);
  assert.deepEqual(decoder.flush(), []);
  assert.deepEqual(decoder.feed(Buffer.from('more\r')), []);
  assert.deepEqual(decoder.feed(Buffer.from('\x03')), [{ type: 'key', name: 'C-c' }]);
  assert.equal(show(decoder.feed(Buffer.from('ok'))), 'ok');
});

test('any bytes at all give keys and leave nothing behind', () => {
  const random = seededRandom(11);
  for (let round = 0; round < 2000; round++) {
    const decoder = new KeyDecoder();
    const bytes = random
      .bytes(1 + random.below(30))
      .map((byte) => (random.below(3) === 0 ? 27 : random.below(4) === 0 ? 91 : byte));
    decoder.feed(bytes);
    decoder.flush();
    assert.equal(decoder.waiting, false);
  }
});
