/** All that commands about servers print, on ours and on Apache's, with what differs from run to run masked. */
import assert from 'node:assert/strict';
import { connect } from '../../src/index.ts';
import { lateIf, timely } from '../patience.ts';
import { note } from './live-shell.ts';
import { one, SERVER } from './shell-rig.ts';

/** Numbers, sizes, spans, times, ids, addresses and the version of the server. */
const masked = (text: string): string =>
  text
    .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replace(/\b\d+\.\d+\.\d+\b/g, 'VERSION')
    .replace(/\b0x[0-9a-f]+/g, 'ID')
    .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\b\d[\d,.]*ms\b/g, 'Nms')
    .replace(/\b(?:\d+[dhms])+\b/g, 'SPAN')
    .replace(/\b\d+(?:,\d{3})*(?:\.\d+)?[KMGTB]?(?!\w)/g, 'N')
    .replace(/N (watch|node|client|host|server)(?:e?s)?\b/g, 'N $1')
    .replace(/ {2,}/g, '  ');

const status = [
  '-\tADDRESS\tstandalone\tup\tID\tN\tN/N\tN\tN\tN\tVERSION\tSPAN\n',
  '[{"id":null,"host":"ADDRESS","observer":false,"role":"standalone","up":true,"zxid":"ID","lag":N,"latency":{"min":N,"average":N,"max":N},"connections":N,"outstanding":N,"nodes":N,"version":"VERSION","uptimeMs":N}]\n',
];
const top = [
  'ADDRESS\tstandalone\tN\tN\tN/N\tN\tN\n',
  '[{"host":"ADDRESS","role":"standalone","requestsPerSecond":N,"changesPerSecond":N,"latencyMs":{"min":N,"average":N,"max":N},"connections":N,"outstanding":N}]\n',
];
const latency = [
  'read\tN\tN\tN\tN\tN\nsync\tN\tN\tN\tN\tN\n',
  '[{"what":"read","count":N,"p50":N,"p95":N,"p99":N,"max":N},{"what":"sync","count":N,"p50":N,"p95":N,"p99":N,"max":N}]\n',
];

/** What the doctor says, line by line. */
const DOCTOR = [
  'N of N server serves',
  'same version VERSION everywhere',
  'N watch set',
  'TLS is not in use',
  'no AdminServer on port N; four-letter words are asked instead',
  'clocks of N server and of this machine within Nms',
  'disk of ADDRESS: N of data, N of log, SNAPSHOT, N (N%) free',
  'a sync from here takes Nms, at most Nms in N tries',
  'N other client connected, from N host',
  'looked at N node, N of data',
];
/**
 * What may be otherwise on one of them: whether there is a snapshot, the verdict on what the machine is measured by, and what is
 * said of a server that began just now or of a machine that stood still.
 */
const MEASURED = /^(?:clocks|disk|a sync)/;
const OF_MACHINE =
  /^\w+\tADDRESS (?:was started less than a minute ago|took Nms once since its start; average Nms|takes Nms on average|has N requests waiting)/;
const doctorLines = (text: string): string[] =>
  masked(text)
    .replace(/last snapshot SPAN ago|no snapshot yet/g, 'SNAPSHOT')
    .split('\n')
    .filter((line) => line !== '' && !OF_MACHINE.test(line));

async function says(words: readonly string[], wanted: readonly string[]): Promise<void> {
  for (const [at, mode] of ['plain', 'json'].entries()) {
    note(words.join(' '), mode === 'json');
    const { out, err, status } = await one('-o', mode, ...words);
    assert.deepEqual([status, masked(out.toString()), err], [0, wanted[at], ''], `${words.join(' ')} ${mode}`);
  }
}

export async function wholly(at: string): Promise<void> {
  // each asks for a moment only: a server that stands still is down
  await timely(async () => {
    const { out } = await one('-o', 'json', 'status');
    return lateIf(!out.toString().includes('"up":true'), out.toString());
  });
  await says(['status'], status);
  await says(['status', SERVER], status);
  await says(['top', '-i', '200ms', '-n', '1'], top);
  await says(['latency', '-n', '3'], latency);
  const mine = await connect(SERVER);
  try {
    await mine.create(`${at}/whose`, null, { mode: 'ephemeral' });
    await says(
      ['who', '--admin-port', '1', `${at}/whose`],
      [
        `${at}/whose\tID\tADDRESS\tADDRESS\tTIME\n`,
        `[{"path":"${at}/whose","session":"ID","client":"ADDRESS","server":"ADDRESS","connectedSince":"TIME","timeoutMs":N,"ours":false}]\n`,
      ],
    );
  } finally {
    await mine.close();
  }
  const asked = ['doctor', at, '--limit', '10', '--admin-port', '1'];
  note(asked.join(' '), true);
  const checks = JSON.parse((await one('-o', 'json', ...asked)).out.toString()) as { verdict: string; check: string }[];
  assert.ok(checks.length >= DOCTOR.length && checks.every(({ verdict }) => /^(?:ok|warn|fail)$/i.test(verdict)));
  const { out, err, status: code } = await one('-o', 'plain', ...asked);
  const lines = doctorLines(out.toString()).map((line) => line.split('\t'));
  const open = masked(`${at}: anyone may delete what is below`);
  assert.deepEqual(
    lines.map(([, what]) => what),
    [...DOCTOR.slice(0, -1), open, ...DOCTOR.slice(-1)],
  );
  for (const [verdict, what = ''] of lines)
    if (!MEASURED.test(what)) assert.equal(verdict, what === open ? 'FAIL' : 'ok', what);
  assert.deepEqual([code, err], [/^FAIL\t/m.test(out.toString()) ? 1 : 0, '']);
}
