/** What is installed with this package is what was looked at: by hash, at exact versions, without scripts that nobody knows of. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { INSTALL_SCRIPTS, type Lockfile, lockFaults, type Manifest } from './lock.ts';

const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as Lockfile;

test('every package is locked by its hash, at an exact version, from nowhere in particular, with no script that is not listed', () => {
  assert.deepEqual(lockFaults(lock, manifest), []);
  assert.ok(Object.keys(lock.packages).length > 100);
});

test('each package with an install script has its reason written down', () => {
  const text = read('docs/dependencies.md');
  const part = text.slice(text.indexOf('## Install scripts'));
  for (const name of Object.keys(INSTALL_SCRIPTS)) assert.ok(part.includes(`\`${name}\``), name);
});

test('the pipeline installs without scripts, so that none runs before this was looked at', () => {
  const installs = [...read('.ci/run').matchAll(/^.*\bnpm (?:ci|install|i)\b.*$/gm)].map(([line]) => line);
  assert.ok(installs.length > 0);
  for (const line of installs) assert.match(line, /--ignore-scripts/);
  for (const [, line = ''] of read('test/pack.sh').matchAll(/^(npm install .*)$/gm))
    assert.match(line, /--ignore-scripts/);
});

test('a package that came in another way is found', () => {
  const integrity = `sha512-${'A'.repeat(86)}==`;
  const good = { version: '1.0.0', integrity };
  const planted: [string, Record<string, unknown>, RegExp][] = [
    ['node_modules/evil', { ...good, hasInstallScript: true }, /evil: has an install script and is not listed/],
    ['node_modules/a/node_modules/evil', { ...good, hasInstallScript: true }, /and is not listed/],
    ['node_modules/constructor', { ...good, hasInstallScript: true }, /and is not listed/],
    ['node_modules/msgpackr-extract', { ...good, hasInstallScript: true }, /needed elsewhere than listed/],
    ['node_modules/esbuild', { ...good, hasInstallScript: true, optional: true }, /needed elsewhere than listed/],
    ['node_modules/evil', { version: '1.0.0' }, /no sha512/],
    ['node_modules/evil', { ...good, integrity: 'sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }, /no sha512/],
    ['node_modules/evil', { ...good, integrity: '' }, /no sha512/],
    ['node_modules/evil', { ...good, resolved: 'https://example.org/evil.tgz' }, /from https/],
    ['node_modules/evil', { ...good, resolved: 'git+ssh://example.org/evil.git#abc' }, /from git/],
    ['node_modules/evil', { ...good, version: 'file:../evil' }, /its version is file/],
    ['node_modules/evil', { ...good, link: true }, /not of a registry/],
    ['../evil', good, /not of a registry/],
    ['node_modules/evil', { ...good, inBundle: true }, /comes within another/],
  ];
  for (const [place, entry, sentence] of planted) {
    const faults = lockFaults({ ...lock, packages: { ...lock.packages, [place]: entry } }, manifest);
    assert.ok(
      faults.some((each) => sentence.test(each)),
      `${place} ${JSON.stringify(entry)}: ${faults}`,
    );
  }
  const dependencies = { ...manifest.dependencies, chalk: '^5.6.2' };
  assert.match(lockFaults(lock, { ...manifest, dependencies }).join(), /\^5\.6\.2 is no exact version/);
  assert.match(lockFaults(lock, { ...manifest, dependencies: { evil: '1.0.0' } }).join(), /evil: not locked/);
  assert.match(lockFaults(lock, { ...manifest, scripts: { postinstall: 'x' } }).join(), /has a script postinstall/);
});
