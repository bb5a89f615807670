/** What the tools for files print, by samples of Apache's: the same lines, but for what docs/compatibility.md (tools) names. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zoosh } from './cli.ts';
import { apacheData, Folder } from './folders.ts';

const SAMPLES = fileURLToPath(new URL('../../../test/samples/', import.meta.url));
interface Sample {
  readonly stdout: string;
  readonly code: number;
  readonly stderr: string;
}
/** What was asked of a tool, without its package, to what it said. */
function samplesOf(name: string): Map<string, Sample> {
  const found = new Map<string, Sample>();
  for (const block of readFileSync(join(SAMPLES, `tool-3.10-${name}.txt`), 'utf8').split('==========\n')) {
    const match = /^\$ (.*)\n--- stdout\n([\s\S]*?)--- exit (\d+)\n--- stderr\n([\s\S]*)$/.exec(block);
    if (match === null) continue;
    const [, asked = '', stdout = '', code, stderr = ''] = match;
    found.set(asked.replace(/^\S+\./, ''), { stdout, code: Number(code), stderr });
  }
  return found;
}
function sampleOf(name: string, asked: string): Sample {
  const sample = samplesOf(name).get(asked);
  assert.ok(sample !== undefined, `no sample of ${asked}: ${[...samplesOf(name).keys()].join(', ')}`);
  return sample;
}

const place = new Folder();
after(() => place[Symbol.dispose]());
let files = '';
before(() => {
  files = join(apacheData(place.in('apache')), 'version-2');
});
const ours = async (...words: string[]): Promise<string> => (await zoosh(words)).stdout;

/** Lines without the figures that differ from server to server. */
const shapes = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .replace(/\w{3} \w{3} \d\d [\d:]{8} UTC \d{4}/, 'DATE')
        .replace(/0x[0-9a-f]{14}\b/g, 'ID')
        .replace(/0x[0-9a-f]+/g, 'HEX')
        .replace(/\d+/g, 'N'),
    );
/** Lines that follow each other and are alike, once. */
const collapsed = (lines: readonly string[]): string[] => lines.filter((line, at) => line !== lines[at - 1]);
function holdsAll(found: readonly string[], wanted: readonly string[]): void {
  assert.ok(wanted.length > 0);
  assert.deepEqual(
    wanted.filter((line) => !found.includes(line)),
    [],
    found.join('\n'),
  );
}

test('txnlog: the first line, and each kind of transaction, on one line and with another date', async () => {
  const excused = (text: string): string[] =>
    text
      .replace(/\}\n\]/g, '}]')
      .replace(/^\d+\/\d+\/\d+, [\d:]+ [AP]M UTC /gm, 'DATE ')
      .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /gm, 'DATE ')
      .replace(/ create2? [^,]+,[^,]*,\[/g, ' create PATH,DATA,[')
      .replace(/v\{.*\}$/gm, 'v{}')
      .trimEnd()
      .split('\n');
  const sample = excused(sampleOf('txnlogtoolkit', 'TxnLogToolkit -d log.1').stdout);
  const found = excused(await ours('txnlog', '-d', join(files, 'log.1')));
  assert.equal(found[0], sample[0]);
  holdsAll(shapes(found.join('\n')), shapes(sample.join('\n')));
});

test('snapshot ls, with and without data: the same block for every node', async () => {
  const blockOf = (text: string): string[] => shapes(text.split('----\n')[1] as string);
  for (const [options, asked] of [
    [[], 'SnapshotFormatter snapshot.294'],
    [['-d'], 'SnapshotFormatter -d snapshot.294'],
  ] as const) {
    const sample = sampleOf('snapshottoolkit', asked).stdout;
    const found = await ours('snapshot', 'ls', ...options, join(files, 'snapshot.34.gz'));
    assert.equal(shapes(found)[0], shapes(sample)[0]);
    assert.deepEqual(blockOf(found), blockOf(sample));
  }
});

test('snapshot ls -json: an import of ncdu with the same fields, by another program', async () => {
  const read = (text: string): { head: unknown; fields: string[]; root: string[] } => {
    const [major, minor, program, [root]] = JSON.parse(text) as [number, number, object, [object]];
    return { head: [major, minor], fields: Object.keys(program), root: Object.keys(root) };
  };
  const sample = sampleOf('snapshottoolkit', 'SnapshotFormatter -json snapshot.294').stdout;
  assert.deepEqual(read(await ours('snapshot', 'ls', '-json', join(files, 'snapshot.0'))), read(sample));
});

test('snapshot compare: the same lines, but for how long it took and which options there were', async () => {
  const excused = (text: string): string =>
    text.replace(
      /^(?:Successfully parsed options!|Deserialized snapshot .*|Processed data tree .*|Snapshot .*)\n/gm,
      '',
    );
  const sample = excused(
    sampleOf('snapshotcomparer', 'SnapshotComparer -l snapshot.0 -r snapshot.294 -b 2 -n 1').stdout,
  );
  const [left, right] = [join(files, 'snapshot.0'), join(files, 'snapshot.34.gz')];
  const found = excused(await ours('snapshot', 'compare', '-l', left, '-r', right, '-b', '2', '-n', '1'));
  const [begin, wanted] = [found, sample].map((text) => collapsed(shapes(text.split('Analysis for')[0] as string)));
  assert.deepEqual(begin, wanted);
  holdsAll(shapes(found), shapes(sample));
  assert.equal(found.trimEnd().split('\n').at(-1), sample.trimEnd().split('\n').at(-1));
});

test('snapshot summary: the same lines, the blank one at the end too', async () => {
  const sample = sampleOf('snapshotrecursivesummary', 'SnapshotRecursiveSummary snapshot.294 / 2').stdout;
  const found = await ours('snapshot', 'summary', join(files, 'snapshot.0'), '/', '2');
  // the tree of a new server: the root, and /zookeeper with its two
  const figures = (text: string): string => text.replace(/: \d+$/gm, ': N');
  assert.equal(figures(found), figures(sample));
});

test('digest: the same, to the letter', async () => {
  const sample = sampleOf('misc', 'DigestAuthenticationProvider super:admin bob:secret');
  assert.deepEqual(await zoosh(['digest', 'super:admin', 'bob:secret']), { ...sample });
});

test('zkCleanup.sh: the same usage, the same reasons and codes', async () => {
  const bin = place.in('bin');
  assert.equal((await zoosh(['shims', bin])).code, 0);
  const [conf, data] = [place.in('conf'), place.in('data')];
  mkdirSync(conf);
  mkdirSync(data);
  const cases = [
    [[], data, 'PurgeTxnLog'],
    [['-n', '3'], 'SCRATCH/none', 'PurgeTxnLog SCRATCH/none -n 3'],
    [['-n', '2'], data, 'PurgeTxnLog SCRATCH/dd -n 2'],
    [['-n', '3'], data, 'PurgeTxnLog SCRATCH/dd -n 3'],
    [[data, '-n', 'x'], data, 'PurgeTxnLog SCRATCH/dd SCRATCH/dd -n x'],
  ] as const;
  for (const [words, dataDir, asked] of cases) {
    writeFileSync(join(conf, 'zoo.cfg'), `dataDir=${dataDir}\nclientPort=0\n`);
    const { status, stdout, stderr } = spawnSync(join(bin, 'zkCleanup.sh'), words, {
      encoding: 'utf8',
      env: { ...process.env, ZOOCFGDIR: conf },
    });
    assert.deepEqual({ stdout, code: status, stderr }, sampleOf('purge', asked), asked);
  }
});
