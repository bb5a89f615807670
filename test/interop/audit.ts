/** The audit log: kazoo does the same to Apache's server and to ours, and both write down the same, but for what is named here. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ServerProcess } from '../e2e/process.ts';
import { ApacheProcess } from './apache-process.ts';

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('../../../test/interop/audit_kazoo.py', import.meta.url));
const LINES = [
  ...['audit.enable=true', 'extendedTypesEnabled=true', 'maxClientCnxns=0'],
  'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=',
];
const LOG4J = (folder: string): string =>
  [
    'log4j.rootLogger=WARN, C',
    'log4j.appender.C=org.apache.log4j.ConsoleAppender',
    'log4j.appender.C.layout=org.apache.log4j.SimpleLayout',
    'log4j.logger.org.apache.zookeeper.audit.Slf4jAuditLogger=INFO, A',
    'log4j.additivity.org.apache.zookeeper.audit.Slf4jAuditLogger=false',
    'log4j.appender.A=org.apache.log4j.FileAppender',
    `log4j.appender.A.File=${join(folder, 'audit.log')}`,
    'log4j.appender.A.layout=org.apache.log4j.PatternLayout',
    'log4j.appender.A.layout.ConversionPattern=%-5p %m%n',
    '',
  ].join('\n');

/** Lines of the program's sessions, by the names it gave them; those of its end in any order. */
function told(log: string, said: string): string[] {
  const names = new Map([...said.matchAll(/^session (0x[0-9a-f]+) (\w+)$/gm)].map(([, id, name]) => [id, name]));
  assert.equal(names.size, 3, said);
  const lines = log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line
        .replace(/^\d{4}-\S+ /, '')
        .replace(/^(info|INFO) +/, 'info ')
        .replace(/^(error|ERROR) +/, 'error ')
        .replace(/session=(0x[0-9a-f]+)/, (_, id: string) => `session=${names.get(id) ?? id}`)
        // Apache's come in the order of a hash table
        .replace(/user=([^\t]*)/, (_, users: string) => `user=${users.split(',').sort().join()}`),
    );
  const isEnd = (line: string): boolean => line.includes('OnSessionCloseOrExpire');
  return [...lines.filter((line) => !isEnd(line)), ...lines.filter(isEnd).sort()];
}

/** What is ours as Apache 3.8.0 would have it. */
function asApache(line: string): string[] {
  // 3.8.0 forgets createTTL; newer ones write it down
  if (/znode_type=persistent(_sequential)?_with_ttl/.test(line)) return [];
  return [
    line
      // what kind of node a sequential part of a multi makes is looked up by a name that it does not have
      .replace('znode=/m/seq-0000000000\tznode_type=persistent_sequential', 'znode=/m/seq-0000000000')
      // entries of an ACL without anything between, and the hash of a password for everybody who reads the log
      .replace('acl=digest:bob:x:ra,ip:', 'acl=digest:bob:HASH:raip:'),
  ];
}

test('kazoo does the same to both, and both write down the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-audit-'));
  try {
    writeFileSync(join(folder, 'log4j.properties'), LOG4J(folder));
    await using theirs = new ApacheProcess(
      LINES,
      [`-Dlog4j.configuration=file:${join(folder, 'log4j.properties')}`],
      '/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-log4j12.jar:/usr/share/java/log4j-1.2.jar',
    );
    await theirs.start();
    const a = await run('/usr/bin/python3', [PROGRAM, theirs.hosts], { timeout: 300_000 });
    await theirs.kill('SIGTERM');
    const apache = told(readFileSync(join(folder, 'audit.log'), 'utf8'), a.stdout).map((line) =>
      line.replace(/digest:bob:[A-Za-z0-9+/]{27}=:/, 'digest:bob:HASH:'),
    );

    const file = join(folder, 'ours.log');
    await using server = await new ServerProcess([...LINES, `audit.logFile=${file}`]).start();
    const b = await run('/usr/bin/python3', [PROGRAM, server.hosts], { timeout: 300_000 });
    await server.kill('SIGTERM');
    const text = readFileSync(file, 'utf8');
    const ours = told(text, b.stdout);
    assert.ok(apache.length > 35, apache.join('\n'));
    assert.deepEqual(ours.flatMap(asApache), apache);
    assert.equal(ours.length - apache.length, 4, 'four creates with a time to live');
    assert.doesNotMatch(text, /SECRET|x45\/7/, 'no data, no password, no hash');
    // among the lines of the server, too, at any level of theirs
    await using plain = await new ServerProcess(LINES, 'error').start();
    await plain.kill('SIGTERM');
    assert.match(plain.stderr, /Slf4jAuditLogger: user=\S+\toperation=serverStop\tresult=invoked/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
