import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonAt, jsonSteps, jsonWith } from '../../src/shell/json-at.ts';

const TEXT =
  '{ "level": "info", "big": 12345678901234567890,\n  "ports": [1, {"a.b": [true, null]}, "x}"], "none": {} }';

test('--at names a value; anything else is refused with what it may be', () => {
  assert.deepEqual(jsonSteps('.a.b[0]'), ['a', 'b', 0]);
  assert.deepEqual(jsonSteps('.ports[1]["a.b"][0]'), ['ports', 1, 'a.b', 0]);
  assert.deepEqual(jsonSteps('."a \\" b"'), ['a " b']);
  assert.deepEqual(jsonSteps('[3]'), [3]);
  assert.deepEqual(jsonSteps('.'), []);
  for (const bad of ['a', '.a..b', '[x]', '.a[', '."\\x"', '. a']) assert.throws(() => jsonSteps(bad), /--at/, bad);
});

test('a value is found as it is written', () => {
  const at = (text: string): string | undefined => jsonAt(TEXT, jsonSteps(text));
  assert.equal(at('.level'), '"info"');
  assert.equal(at('.big'), '12345678901234567890');
  assert.equal(at('.ports[1]'), '{"a.b": [true, null]}');
  assert.equal(at('.ports[1]."a.b"[1]'), 'null');
  assert.equal(at('.ports[2]'), '"x}"');
  assert.equal(at('.none'), '{}');
  for (const absent of ['.nope', '.ports[9]', '.ports.x', '.level[0]', '.none.x']) assert.equal(at(absent), undefined);
  assert.equal(jsonAt('[1, 2 ]', [1]), '2');
  assert.equal(jsonAt('{"a":1,"a":2}', ['a']), '2');
});

test('a value is replaced, and nothing around it', () => {
  const put = (text: string, value: string): string | undefined => jsonWith(TEXT, jsonSteps(text), value);
  assert.equal(put('.level', '"warn"'), TEXT.replace('"info"', '"warn"'));
  assert.equal(put('.ports[0]', '[]'), TEXT.replace('[1,', '[[],'));
  assert.equal(put('.none.new', '1'), TEXT.replace('{} }', '{"new":1} }'));
  assert.equal(put('.new', '1'), TEXT.replace('{} }', '{}, "new": 1 }'));
  assert.equal(jsonWith('{"a":1}', ['b'], '2'), '{"a":1,"b":2}');
  assert.equal(put('.ports[3]', '1'), undefined);
  assert.equal(put('.level.x', '1'), undefined);
});

test('of any JSON every value is found, and can be replaced', () => {
  const paths = (value: unknown, so: (string | number)[] = []): (string | number)[][] =>
    value === null || typeof value !== 'object'
      ? [so]
      : [
          so,
          ...Object.entries(value).flatMap(([key, each]) =>
            paths(each, [...so, Array.isArray(value) ? Number(key) : key]),
          ),
        ];
  const get = (value: unknown, steps: readonly (string | number)[]): unknown =>
    steps.reduce((each, step) => (each as Record<string | number, unknown>)[step], value);
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.boolean(), (compact, isSpread) => {
      const value: unknown = JSON.parse(compact);
      const text = isSpread ? JSON.stringify(value, null, 2) : compact;
      for (const steps of paths(value).slice(0, 20)) {
        assert.deepEqual(JSON.parse(jsonAt(text, steps) ?? 'absent'), get(value, steps));
        const changed: unknown = JSON.parse(jsonWith(text, steps, '"here"') ?? 'absent');
        assert.equal(get(changed, steps), 'here');
      }
    }),
    { numRuns: 300 },
  );
});
