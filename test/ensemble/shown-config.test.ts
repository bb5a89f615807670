import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownConfig } from '../../src/ensemble/shown-config.ts';
import { KEYS, type Row } from '../../src/server/config-keys.ts';
import { parseProperties } from '../../src/server/config-text.ts';

test('what is secret in a zoo.cfg is not shown, however it is written; the rest is as it stands', () => {
  const secret = Object.entries(KEYS).flatMap(([key, row]) => ((row as Row).secret === true ? [key] : []));
  assert.ok(secret.length >= 3);
  for (const key of secret)
    for (const line of [
      `${key}=CANARY`,
      `zookeeper.${key} = CANARY`,
      `  ${key}:CANARY`,
      `${key} CANARY`,
      `${key.toUpperCase()}=CANARY`,
      `${key}=CAN\\\n  ARY\\\nCANARY`,
      `${key}=x\\\\CANARY`,
      `an.unknown.password=CANARY`,
    ]) {
      const shown = shownConfig(`# kept\n${line}\nclientPort=2181\n`);
      assert.ok(!shown.includes('CANARY') && !shown.includes('ARY'), line);
      const [hidden, port, more] = parseProperties(shown, 'shown');
      assert.deepEqual([hidden?.value, port?.key, port?.value, more], ['***', 'clientPort', '2181', undefined], line);
      assert.ok(shown.startsWith('# kept\n'));
    }
  const open = `# superDigest=x\nssl.quorum.keyStore.passwordPath=/etc/word\npeer.secretFile=/etc/s\nserver.1=a:1:2;3\n`;
  assert.equal(shownConfig(open), open);
});
