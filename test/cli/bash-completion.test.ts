import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { completionScript } from '../../src/cli/completion-scripts.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-bash-'));
after(() => rmSync(folder, { recursive: true }));
const script = join(folder, 'zoosh.bash');
const program = join(folder, 'zoosh');
writeFileSync(script, completionScript('bash'));

/** What bash is to insert for what the program answers, in the place of what readline takes for the word. */
function inserted(line: string, answer: string): string[] {
  writeFileSync(program, `#!/bin/sh\ncat <<'END'\n${answer}\nEND\n`);
  chmodSync(program, 0o755);
  const asked = `compopt() { :; }; source '${script}'
COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDS=('${program}'); _zoosh; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', asked, 'bash', line], { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.split('\n').slice(0, -1);
}

test('outside of quotes bash is given quoted names, and what follows the last : or = of a word', () => {
  assert.deepEqual(inserted('zoosh ls /w/wi', '/w/with space\t-\t'), ['/w/with\\ space']);
  assert.deepEqual(inserted('zoosh setAcl /w world:a', 'world:anyone:\tn\t'), ['anyone:']);
  assert.deepEqual(inserted('zoosh ls /w/col:on\\ s', '/w/col:on sp\t-\t'), ['on\\ sp']);
  assert.deepEqual(inserted('zoosh ls "/w"/wi', '/w/with space\t-\t'), ['/w/with\\ space']);
});

test('inside of a quote that is open nothing is quoted but what the quote asks for', () => {
  assert.deepEqual(inserted('zoosh ls "/w/wi', '/w/with space\t-\t'), ['/w/with space']);
  assert.deepEqual(inserted("zoosh ls '/w/wi", '/w/with space\t-\t'), ['/w/with space']);
  assert.deepEqual(inserted('zoosh ls "/w/a ', '/w/a b\t-\t\n/w/a c\t-\t'), ['/w/a b', '/w/a c']);
  assert.deepEqual(inserted('zoosh ls "/w/col:', '/w/col:on sp\t-\t'), ['/w/col:on sp']);
  assert.deepEqual(inserted('zoosh ls /w/"wi', '/w/with space\t-\t'), ['with space']);
  assert.deepEqual(inserted('zoosh ls "/w/', '/w/q"u$o`t\\e\t-\t'), ['/w/q\\"u\\$o\\`t\\\\e']);
  assert.deepEqual(inserted('zoosh ls "/w/q\\"u', '/w/q"uote\t-\t'), ['/w/q\\"uote']);
  assert.deepEqual(inserted("zoosh ls '/w/it", "/w/it's\t-\t"), ["/w/it'\\''s"]);
});
