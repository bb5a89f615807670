/** The screens of the program's own commands, compared with the files beside; `node dist/test/screens/draw-outer.js` writes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OUTER } from '../../src/cli/outer.ts';
import { tooWide } from './book.ts';
import { filed } from './draw.ts';
import { drawOuter, OUTER_SCENES } from './outer.ts';

test('every command of the program looks as it is filed, at 80 and at 48 columns', async () => {
  assert.deepEqual(Object.keys(OUTER_SCENES).sort(), OUTER.map(({ name }) => name).sort());
  const files = filed(['outer']);
  const wide: string[] = [];
  for (const { file, text, page } of await drawOuter()) {
    assert.equal(text, files.get(file), `${file} looks otherwise; draw-outer.js keeps it as it is now`);
    assert.deepEqual(page.faults, [], file);
    files.delete(file);
    wide.push(...page.looks.flatMap((look) => tooWide(look).map((line) => `${file} at ${look.columns}: ${line}`)));
  }
  assert.deepEqual([...files.keys()], [], 'files of no screen');
  assert.deepEqual(
    wide.filter((line) => !DATA.some((each) => each.test(line))),
    [],
  );
});

/** Lines that are not broken, so that they can be searched and compared: what is on disks, and where. */
const DATA: readonly RegExp[] = [
  /^outer\/txnlog\.txt at \d+: (?:\d{4}-\d\d-\d\dT|ZooKeeper Transactional Log File)/, // as Apache's tool has them
  /^outer\/snapshot\.txt at 48: (?:file|nodes) /, // a table
  /^outer\/verify\.txt at \d+: (?:whole {4}\/|a server would start from )/,
  /^outer\/(?:import|export)-apache\.txt at \d+: (?:read|imported|exported|would drop|the tree has|nodes with a time to live)/,
  /^outer\/completion\.txt at 48: # /, // the script itself
];
