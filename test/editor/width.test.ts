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
