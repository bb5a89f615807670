/** Times of zoo.cfg as zab's clock counts them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitsOf } from '../../src/runtime/member-past.ts';
import { checkConfig } from '../../src/server/config.ts';
import type { EnsembleConfig } from '../../src/server/config-ensemble.ts';
import { parseProperties } from '../../src/server/config-text.ts';

test('votes are sent again as fastleader.* says', () => {
  const intervals = (lines: string): [number, number] => {
    const servers = [1, 2, 3].map((id) => `server.${id}=127.0.0.1:${2000 + id}:${3000 + id}`).join('\n');
    const text = `dataDir=/d\nclientPort=1\ninitLimit=5\nsyncLimit=5\n${servers}\n${lines}`;
    const { ensemble } = checkConfig(parseProperties(text, 'zoo.cfg'), { myid: { text: '1', from: { option: 'x' } } });
    const { notify, notifyMost } = limitsOf(ensemble as EnsembleConfig, 2000, 50);
    return [notify, notifyMost];
  };
  assert.deepEqual(intervals(''), [4, 1200]);
  assert.deepEqual(
    intervals('fastleader.minNotificationInterval=500\nfastleader.maxNotificationInterval=2000'),
    [10, 40],
  );
  const lowered = 'fastleader.minNotificationInterval=500\nfastleader.maxNotificationInterval=100';
  assert.deepEqual(intervals(lowered), [10, 10], 'never below the first');
});
