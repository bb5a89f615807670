import assert from 'node:assert/strict';
import { test } from 'node:test';
import { after, before, clusters, cut, textWidth } from '../../src/base/width.ts';

test('cells of text as terminals count them', () => {
  const table: readonly (readonly [string, number])[] = [
    ['', 0],
    ['abc', 3],
    ['日本語', 6],
    ['한글', 4],
    ['e\u0301', 1],
    ['ｆｕｌｌ', 8],
    ['👍', 2],
    ['👍🏽', 2],
    ['👨‍👩‍👧', 2],
    ['❤️', 2], // a picture by its selector
    ['1️⃣', 2],
    ['🏴\u{e0067}\u{e0062}\u{e007f}', 2],
    ['👨\u200d', 2], // waits for nobody
    ['\u0915\u094d\u200d\u0937\u094d\u200d\u092e', 3], // letters that a joiner joins are no picture
    ['\u1112\u1112\u200d', 4],
    ['a🏽', 3],
    ['\u0301🏽', 3], // the mark, too, stands on a circle
    ['日\u200d日', 4],
    ['\u200d', 1],
    ['🇩🇪', 2],
    ['é', 1],
    ['→…─', 3],
    ['a\u200bb', 3], // invisible, so it gets a circle
    ['\x01\x1b', 4], // shown as ^A^[
    ['\u202e', 1], // shown as a replacement
    ['\ud800', 1],
    ['\u0301', 1], // on a circle of its own
    ['𠀀', 2],
  ];
  for (const [text, width] of table) assert.equal(textWidth(text), width, JSON.stringify(text));
});

test('disputed is what terminals count by code point or as one, and nothing else', () => {
  for (const text of ['👨‍👩‍👧', '👍🏽', '🇩🇪', '🇩', '❤️', '1️⃣', '↔\ufe0e', '\u0915\u094d\u0937', '\uff76\uff9e', '🏽'])
    assert.equal([...clusters(text)][0]?.disputed, true, JSON.stringify(text));
  for (const text of ['a', '日', '👍', 'e\u0301', '\u1112\u1161\u11ab', '\u0301', '\x1b', '❤', '1', '한'])
    assert.equal([...clusters(text)][0]?.disputed, false, JSON.stringify(text));
});

test('a joiner that joins nothing is not written: tmux would join to it whatever is drawn next', () => {
  for (const [text, shown] of [
    ['a\u200d', 'a'],
    ['日\u200d', '日'],
    ['👨\u200d', '👨'],
    ['\u200d', '\u25cc'],
  ] as const)
    assert.equal([...clusters(`${text}x`)][0]?.shown, shown, JSON.stringify(text));
});

test('what would take the next character into itself, once its joiner or what stood behind it is not written, is disputed', () => {
  for (const text of ['\u1112\u200d\u1112', 'a\u200db', '\u0d4e\x01', '\u0600\u0085', '\u0600'])
    assert.equal([...clusters(text)][0]?.disputed, true, JSON.stringify(text));
});

test('the cursor goes by what the user sees as one', () => {
  const text = 'ae\u0301日👨‍👩‍👧🇩🇪\nx';
  const stops: number[] = [];
  for (let at = 0; at < text.length; at = after(text, at)) stops.push(at);
  assert.deepEqual(
    stops,
    [...clusters(text)].map((one) => one.index),
  );
  assert.equal(stops.length, 7);
  const back: number[] = [];
  for (let at = text.length; at > 0; ) back.unshift((at = before(text, at)));
  assert.deepEqual(back, stops);
});

test('a long text falls into the same characters as a short one', () => {
  const whole = new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (const unit of ['e\u0301', '👨‍👩‍👧', '👍🏽', '각'.normalize('NFD'), '日x👍'])
    for (let shift = 0; shift < 8; shift++) {
      const text = 'é'.normalize('NFD').repeat(1) + '👍'.repeat(shift) + unit.repeat(150);
      const expected = [...whole.segment(text)].map((one) => one.index);
      assert.deepEqual(
        [...clusters(text)].map((one) => one.index),
        expected,
        unit,
      );
    }
});

test('nothing that moves the cursor gets through', () => {
  const nasty = Array.from({ length: 0x2100 }, (_, code) => String.fromCharCode(code)).filter((char) => char !== '\n');
  for (const char of nasty)
    for (const one of clusters(`a${char}b`)) assert.doesNotMatch(one.shown, /[\x00-\x1f\x7f-\x9f\u2028-\u202e]/);
});

test('what is too long is cut at whole characters', () => {
  assert.deepEqual(cut('abc', 3), { shown: 'abc', width: 3 });
  assert.deepEqual(cut('abcd', 3), { shown: 'a..', width: 3 });
  assert.deepEqual(cut('日本語', 5), { shown: '日..', width: 4 });
  assert.deepEqual(cut('日本語', 1), { shown: '.', width: 1 });
  assert.deepEqual(cut('日本語', 0), { shown: '', width: 0 });
});
