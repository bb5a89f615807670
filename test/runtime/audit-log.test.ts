/** How events of the audit log are written down. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AuditLog, openAudit } from '../../src/runtime/audit-log.ts';
import { makeLogger } from '../../src/runtime/log.ts';
import { StartError } from '../../src/runtime/start-error.ts';
import type { AuditEvent } from '../../src/server/audit.ts';

const EVENT: AuditEvent = {
  ...{ session: 0x10cn, user: 'bob,127.0.0.1', ip: '127.0.0.1', operation: 'create', znode: '/a' },
  ...{ znodeType: 'persistent', acl: undefined, result: 'success' },
};
const CONFIG = { enabled: true, maxBytes: 1e6, maxFiles: 2, json: false };

/** What stands in the file after `say`, a line each, without its time. */
function written(json: boolean, say: (log: AuditLog) => void): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-audit-'));
  try {
    const file = join(folder, 'sub/audit.log');
    const log = new AuditLog({ ...CONFIG, file, json }, makeLogger('error', 'text'));
    say(log);
    log.close();
    const lines = readFileSync(file, 'utf8').split('\n');
    assert.equal(lines.pop(), '');
    return lines.map((line) => line.replace(/^\S{24} /, ''));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("pairs in ZooKeeper's order, tabs between, what is absent left out; the level says whether it failed", () => {
  const user = userInfo().username;
  const lines = written(false, (log) => {
    log.server('serverStart', 'success');
    log.note(EVENT);
    log.note({ ...EVENT, operation: 'setAcl', znodeType: undefined, acl: 'world:anyone:r', result: 'failure' });
  });
  assert.deepEqual(lines, [
    `info  user=${user}\toperation=serverStart\tresult=success`,
    'info  session=0x10c\tuser=bob,127.0.0.1\tip=127.0.0.1\toperation=create\tznode=/a\tznode_type=persistent\tresult=success',
    'error session=0x10c\tuser=bob,127.0.0.1\tip=127.0.0.1\toperation=setAcl\tznode=/a\tacl=world:anyone:r\tresult=failure',
  ]);
});

test('a login that was refused: the name that was claimed, or none', () => {
  const LOGIN: AuditEvent = { ...EVENT, operation: 'login', znode: undefined, znodeType: undefined, result: 'failure' };
  const lines = written(false, (log) => {
    log.note({ ...LOGIN, user: 'ann' });
    log.note({ ...LOGIN, session: undefined, user: '' });
  });
  assert.deepEqual(lines, [
    'error session=0x10c\tuser=ann\tip=127.0.0.1\toperation=login\tresult=failure',
    'error ip=127.0.0.1\toperation=login\tresult=failure',
  ]);
});

test('nobody writes a line or a field of his own by a path that is refused', () => {
  const znode = '/x\tresult=success\n2026 info  user=root\u2028\u0085/\r';
  const [line, ...more] = written(false, (log) => log.note({ ...EVENT, znode }));
  assert.deepEqual(more, []);
  assert.equal(line?.split('\t').length, 7);
  assert.ok(line?.includes('znode=/x\\u0009result=success\\u000a2026 info  user=root\\u2028\\u0085/\\u000d\t'), line);
});

test('objects, when they are wanted', () => {
  const [line = ''] = written(true, (log) => log.note(EVENT));
  const { time: _time, level, ...rest } = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual(rest, {
    ...{ session: '0x10c', user: 'bob,127.0.0.1', ip: '127.0.0.1', operation: 'create', znode: '/a' },
    ...{ znode_type: 'persistent', result: 'success' },
  });
  assert.equal(level, 30);
});

test('among the lines of the server whatever their level, under the name that ZooKeeper gives them', () => {
  const lines: string[] = [];
  const logger = makeLogger('error', 'text', { write: (line) => void lines.push(line) });
  const log = openAudit({ ...CONFIG, file: undefined }, logger);
  log?.note(EVENT);
  log?.close();
  assert.match(lines.join(''), / info {2}org\.apache\.zookeeper\.audit\.Slf4jAuditLogger: session=0x10c\tuser=bob/);
  assert.equal(openAudit({ ...CONFIG, enabled: false, file: undefined }, logger), undefined);
});

test('a file that cannot be opened stops the start', () => {
  assert.throws(
    () => new AuditLog({ ...CONFIG, file: '/dev/null/audit.log' }, makeLogger('error', 'text')),
    (error) => error instanceof StartError && error.exitCode === 40 && /audit\.logFile/.test(error.message),
  );
});
