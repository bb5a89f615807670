import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { messageOf } from '../records/peer-samples.ts';
import { bodyOf, decode, frameOf, isBelieved } from './peer-inputs.ts';

test('a believed lie is seen for one, whatever stands before and behind it', () => {
  const [sample] = fc.sample(messageOf('FOLLOWERINFO'), { seed: 1, numRuns: 1 });
  assert.ok(sample?.type === 'FOLLOWERINFO');
  const lie = { ...sample, voter: true, acceptedEpoch: 29 };
  const ping = bodyOf({ type: 'ALIVE', number: 1 });
  const believed: Record<string, Buffer> = {
    alone: frameOf(bodyOf(lie)),
    'behind another': frameOf(Buffer.concat([ping, bodyOf(lie)])),
    'in the second frame': Buffer.concat([frameOf(ping), frameOf(bodyOf(lie))]),
    'before a frame that is cut': Buffer.concat([frameOf(bodyOf(lie)), frameOf(ping).subarray(0, 9)]),
    'before what is no frame': Buffer.concat([frameOf(bodyOf(lie)), Buffer.alloc(40, 7)]),
  };
  for (const [what, bytes] of Object.entries(believed)) assert.ok(isBelieved(bytes, 1), what);
  const harmless: Record<string, Buffer> = {
    'our epoch': frameOf(bodyOf({ ...lie, acceptedEpoch: 1 })),
    'one that does not count': frameOf(bodyOf({ ...lie, voter: false })),
    'a frame with something odd behind it': frameOf(Buffer.concat([bodyOf(lie), Buffer.of(0xc1)])),
    cut: frameOf(bodyOf(lie)).subarray(0, -1),
  };
  for (const [what, bytes] of Object.entries(harmless)) assert.ok(!isBelieved(bytes, 1), what);
  assert.equal(decode(harmless.cut as Buffer).verdict, 'waits for more');
});
