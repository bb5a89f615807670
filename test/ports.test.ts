import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNFETCHED } from './ports.ts';

test('what tests leave out are ports that fetch refuses before it dials', async () => {
  for (const port of UNFETCHED) {
    const error = await fetch(`http://127.0.0.1:${port}/`).then(
      () => assert.fail(`${port} answered`),
      (failure: Error) => failure,
    );
    assert.equal((error.cause as Error | undefined)?.message, 'bad port', String(port));
  }
});
