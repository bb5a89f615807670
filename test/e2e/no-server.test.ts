/** A prompt whose server is not there, or not yet. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startEmbedded } from '../../src/runtime/embed.ts';
import { Session } from '../editor/session.ts';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { ownPort } from '../ports.ts';
import { BIN } from './cli.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-none-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** Its connect timeout is what nobody wants to wait for. */
const prompt = (servers: string): Session =>
  new Session({
    sh: `exec ${process.execPath} ${BIN} --connect-timeout 10m ${servers}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8' },
  });
const sees = (session: Session, what: RegExp): Promise<void> =>
  session.until((text) => what.test(text), String(what), PATIENCE_MS);

test('that every server refuses is told at once, each with its reason', async () => {
  const ports = [await ownPort('127.0.0.1'), await ownPort('127.0.0.1')];
  await timely(async () => {
    using session = prompt(ports.map((port) => `127.0.0.1:${port}`).join());
    await sees(session, /> \|/);
    const began = performance.now();
    await sees(session, /not connected: no server could be reached\n[\s\S]*\(not connected\)> \|/);
    const ms = Math.round(performance.now() - began);
    for (const port of ports) await sees(session, new RegExp(` 127\\.0\\.0\\.1:${port}: refused\n`));
    session.type('\x04');
    assert.equal(await session.ended(), 0);
    return lateIf(ms > 300, `told after ${ms} ms`);
  });
});

test('a command says for what it waits; when a server comes, that is told, and what is typed stays', async () => {
  const port = await ownPort('127.0.0.1');
  using session = prompt(`127.0.0.1:${port}`);
  await sees(session, /not connected: 127\.0\.0\.1:\d+: refused\n[\s\S]*\(not connected\)> \|/);
  session.type('ls\r');
  await sees(session, /\(not connected\)> ls\n\S+ waiting for 127\.0\.0\.1:\d+ \(refused\); Ctrl-C\s+gives up\n/);
  session.type('\x03');
  await sees(session, /interrupted\n[^\n]*\(not connected\)> \|/);
  session.type('get /zoo');
  const server = await startEmbedded({ port, logLevel: 'error' });
  try {
    await sees(session, /\S+ connected to 127\.0\.0\.1:\d+, session 0x\w+\n127\.0\.0\.1:\d+:\/> get \/zoo\|/);
    session.type('keeper\r');
    await sees(session, /\(empty\)/);
    session.type('\x04');
    assert.equal(await session.ended(), 0);
  } finally {
    await server.stop();
  }
});

test('a command whose time is over without a server leaves a prompt that goes on looking', async () => {
  const port = await ownPort('127.0.0.1');
  using session = new Session({
    sh: `exec ${process.execPath} ${BIN} --connect-timeout 300ms 127.0.0.1:${port}`,
    env: { ZOOSH_HOME: home, LANG: 'C.UTF-8' },
  });
  await sees(session, /\(not connected\)> \|/);
  session.type('ls\r');
  await sees(session, /error: no server could be reached\n[\s\S]*\(not connected\)> \|/);
  const server = await startEmbedded({ port, logLevel: 'error' });
  try {
    await sees(session, /\S+ connected to 127\.0\.0\.1:\d+, session 0x\w+\n127\.0\.0\.1:\d+:\/> \|/);
    session.type('\x04');
    assert.equal(await session.ended(), 0);
  } finally {
    await server.stop();
  }
});

test('Ctrl-D does not wait for a server that is not there', async () => {
  const port = await ownPort('127.0.0.1');
  await timely(async () => {
    using session = prompt(`127.0.0.1:${port}`);
    await sees(session, /\(not connected\)> \|/);
    const began = performance.now();
    session.type('\x04');
    assert.equal(await session.ended(), 0);
    const ms = Math.round(performance.now() - began);
    return lateIf(ms > 1000, `${ms} ms`);
  });
});
