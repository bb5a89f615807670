/** What our tools for files print of the files of an Apache server, line by line beside what Debian's tools of Apache print. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { apacheData, Folder } from '../e2e/folders.ts';
import { PATIENCE_MS } from '../patience.ts';

const BIN = fileURLToPath(new URL('../../../bin/zoosh.js', import.meta.url));
const JAVA = [
  '-Xmx128m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Duser.timezone=UTC',
  '-Dfile.encoding=UTF-8',
];
const CLASSES = '/usr/share/java/zookeeper.jar:/usr/share/java/*';
const place = new Folder();
after(() => place[Symbol.dispose]());
const files = join(apacheData(place.path), 'version-2');

function said(program: string, words: readonly string[]): string {
  const { stdout, error } = spawnSync(program, words, { encoding: 'utf8', timeout: PATIENCE_MS });
  assert.ifError(error);
  return stdout;
}
const ours = (...words: string[]): string => said(process.execPath, [BIN, ...words]);
const theirs = (tool: string, ...words: string[]): string =>
  said('java', [...JAVA, '-cp', CLASSES, `org.apache.zookeeper.server.${tool}`, ...words]);
const linesOf = (text: string): string[] => text.trimEnd().split('\n');

/** What differs as docs/compatibility.md (tools) says, made alike. */
const DATA = /(\/app\/binary,)[\s\S]*?(,\[31,s)/;
const multi = (line: string, pattern: RegExp): string =>
  line.replace(
    /( multi )(.*)$/,
    (_, begin, parts: string) => begin + [...parts.matchAll(pattern)].map(([, type]) => type),
  );
const dated = (text: string): string =>
  text.replace(/^(CRC ERROR - )?(?:\d+\/\d+\/\d+,? [\d:]+\s?[AP]M UTC|\d{4}-\d\d-\d\dT[\d:.]+Z) /gm, '$1DATE ');
const theirLog = (text: string): string[] =>
  linesOf(
    dated(text)
      .replace(DATA, '$1DATA$2')
      .replace(/\}\n(?=[\],])/g, '}')
      .replace(/\}, (?=\d+,s\{)/g, '},')
      .replace(
        /v\{s\{(\d+,s\{.*\})\}\},(\d+)$/gm,
        (_, acl: string, version) => `[${acl.replaceAll('}},s{', '},')}],${version}`,
      )
      .replace(/(?<=( delete | setACL |v\{|,))'(?=\/)/g, '')
      .replaceAll('createTtl', 'createTTL'),
  ).map((line) => multi(line, /(\w+):(?=\W)/g));
const ourLog = (text: string): string[] =>
  linesOf(
    dated(text)
      .replace(DATA, '$1DATA$2')
      .replace(/( error -\d+) \w+$/gm, '$1'),
  ).map((line) => multi(line, /(?:^|;)(\w+):/g));

test('txnlog and zkTxnLogToolkit', () => {
  for (const name of ['log.1', 'log.35', 'log.3d']) {
    const file = join(files, name);
    const found = ourLog(ours('txnlog', '-d', file));
    assert.deepEqual(found, theirLog(theirs('persistence.TxnLogToolkit', '-d', file)));
    assert.ok(found.length > 8);
  }
});

test('snapshot ls and zkSnapShotToolkit: the same lines, the children in the order of their names', () => {
  for (const name of ['snapshot.0', 'snapshot.34.gz', 'snapshot.3c.snappy'])
    for (const options of [[], ['-d']]) {
      const file = join(files, name);
      const [found, wanted] = [ours('snapshot', 'ls', ...options, file), theirs('SnapshotFormatter', ...options, file)];
      const blocks = (text: string): string[] => text.split('----\n').sort();
      assert.deepEqual(blocks(found), blocks(wanted));
    }
});

test('snapshot ls -json: the same nodes', () => {
  const file = join(files, 'snapshot.34.gz');
  const nodes = (text: string): string[] =>
    [...text.matchAll(/"name":"([^"]*)","asize":(\d+),"dsize":(\d+)/g)].map((match) => match.slice(1).join()).sort();
  const found = nodes(ours('snapshot', 'ls', '-json', file));
  assert.deepEqual(found, nodes(theirs('SnapshotFormatter', '-json', file)));
  assert.equal(found.length, 38);
});

test('snapshot compare and zkSnapshotComparer: the same lines', () => {
  const pair = ['-l', join(files, 'snapshot.0'), '-r', join(files, 'snapshot.34.gz')];
  const rest = (text: string): string[] =>
    linesOf(text).filter((line) => !/^(?:Successfully parsed|Deserialized |Processed |Snapshot )/.test(line));
  for (const limits of [
    ['-b', '2', '-n', '1'],
    ['-b', '100', '-n', '5'],
  ]) {
    const found = rest(ours('snapshot', 'compare', ...pair, ...limits));
    assert.deepEqual(found, rest(theirs('SnapshotComparer', ...pair, ...limits)));
    assert.ok(found.length > 15);
  }
});

test('digest', () => {
  const logins = ['super:admin', 'bob:secret', 'ä:grüße', 'x:a:b'];
  assert.equal(ours('digest', ...logins), theirs('auth.DigestAuthenticationProvider', ...logins));
});
