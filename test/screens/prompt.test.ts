/** The screens of the prompt, compared with the files beside; `node dist/test/screens/draw-prompt.js` writes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filed } from './draw.ts';
import { drawPrompts } from './prompts.ts';

test('the prompt looks on each terminal as it is filed, and sends none what it does not know', async () => {
  const drawn = await drawPrompts();
  const files = filed(['prompt']);
  for (const { file, text, faults } of drawn) {
    assert.deepEqual(faults, [], file);
    assert.equal(text, files.get(file), `${file} looks otherwise; draw-prompt.js keeps it as it is now`);
    files.delete(file);
  }
  assert.deepEqual([...files.keys()], [], 'files of no screen');
});
