import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { FrameCutter } from '../../src/protocol/frame.ts';

const framed = (body: Buffer): Buffer => {
  const out = Buffer.alloc(4 + body.length);
  out.writeInt32BE(body.length);
  body.copy(out, 4);
  return out;
};

test('frames come out whole however the stream is cut, and views on them stay good', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed);
    const bodies = Array.from({ length: 40 }, () => Buffer.from(random.bytes(random.below(300))));
    const stream = Buffer.concat(bodies.map(framed));
    const cutter = new FrameCutter(1000);
    const views: Buffer[] = [];
    for (let at = 0; at < stream.length; ) {
      const end = Math.min(stream.length, at + 1 + random.below(200));
      const chunk = Buffer.from(stream.subarray(at, end));
      cutter.push(chunk, (bytes, from, to) => {
        views.push(bytes.subarray(from, to));
        return true;
      });
      at = end;
    }
    // looked at only now: a view whose bytes were used again would show it
    assert.deepEqual(
      views.map((view) => view.toString('hex')),
      bodies.map((body) => body.toString('hex')),
    );
    assert.equal(cutter.pending, 0);
  }
});

test('a reader that stops finds the rest at its next push', () => {
  const cutter = new FrameCutter(100);
  const seen: string[] = [];
  const take = (go: boolean) => (bytes: Buffer, from: number, to: number) => {
    seen.push(bytes.toString('latin1', from, to));
    return go;
  };
  cutter.push(Buffer.concat(['a', 'bb', 'ccc'].map((text) => framed(Buffer.from(text)))), take(false));
  assert.deepEqual(seen, ['a']);
  cutter.push(Buffer.alloc(0), take(true));
  assert.deepEqual(seen, ['a', 'bb', 'ccc']);
});

test('a length below zero or above the limit is refused before anything is kept for it', () => {
  for (const length of [-1, 101, 0x7fff_ffff, -0x8000_0000]) {
    const head = Buffer.alloc(4);
    head.writeInt32BE(length);
    assert.throws(() => new FrameCutter(100).push(head, () => true), ProtocolError);
  }
});
