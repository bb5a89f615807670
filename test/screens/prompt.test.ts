/** The screens of the prompt, compared with the files beside; `node dist/test/screens/draw-prompt.js` writes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filed } from './draw.ts';
import { drawPrompts } from './prompts.ts';

/** A machine that is busy draws with longer pauses; what looks otherwise then, too, is otherwise. */
const QUIET_MS = [60, 400, 1500];

test('the prompt looks on each terminal as it is filed, and sends none what it does not know', async () => {
  let different: (string | undefined)[] = [];
  for (const quietMs of QUIET_MS) {
    const files = filed(['prompt']);
    const drawn = await drawPrompts(quietMs, files);
    for (const { file, faults } of drawn) assert.deepEqual(faults, [], file);
    different = drawn.flatMap(({ file, text }) => (text === files.get(file) ? [] : [file, text, files.get(file)]));
    for (const { file } of drawn) files.delete(file);
    assert.deepEqual([...files.keys()], [], 'files of no screen');
    if (different.length === 0) return;
  }
  const [file, text, kept] = different;
  assert.equal(text, kept, `${file} looks otherwise; draw-prompt.js keeps it as it is now`);
});
