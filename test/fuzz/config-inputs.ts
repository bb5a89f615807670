/** Text that is no zoo.cfg, or one with odd settings. */
import assert from 'node:assert/strict';
import type { Random } from '../../src/base/random.ts';
import {
  type Beside,
  ConfigError,
  checkConfig,
  parseAssignment,
  parseJvmFlags,
  parseProperties,
  type Setting,
} from '../../src/server/config.ts';
import { KEYS } from '../../src/server/config-keys.ts';
import { stopwatch } from '../patience.ts';

const SLOW_MS = 100;
const LONG = 2 ** 17;

export const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;
const NAMES = [
  ...Object.keys(KEYS),
  ...['server.1', 'server.2', 'server.x', 'server.', 'server.-1', 'server.99999999999', 'group.1', 'weight.1'],
  ...['__proto__', 'constructor', 'toString', 'zookeeper.', '', 'a b', 'ssl.quorum.keyStore', 'ключ', '\u0000'],
];
export const VALUES = [
  ...['', '0', '1', '-1', '3', '2147483647', '2147483648', '-2147483648', '0x10', '0X', '1e9', 'NaN', ' 7 ', '+5', '٣'],
  ...[
    'true',
    'TRUE',
    'false',
    'yes',
    'no',
    'on',
    'null',
    '1h',
    '5 ms',
    '999999999d',
    '10x',
    '1.5',
    '/data',
    './d',
    '..',
  ],
  ...['127.0.0.1', '::1', '[::1]', 'h:1:2', 'h:1:2:observer', 'h:1:2;2181', '[::1]:1:2;[::1]:3', 'h:1:2|g:3:4;5'],
  ...['h:0:99999', ':::', ';;;', 'h:1:2:participant;h:x', 'a'.repeat(300), '|'.repeat(200), '[', ':'.repeat(1000)],
  ...[
    '*',
    'stat,ruok,,',
    'super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=',
    'SHA-256',
    'org.x.PrometheusMetricsProvider',
    '\\u00zz',
  ],
  ...['\\', '\\\\', '\\u0041', '😀', '\ud800', 'x\\', '=', '#', ' '],
];

function text(random: Random): string {
  const lines: string[] = [];
  if (random.below(4) > 0) lines.push('dataDir=/data', 'clientPort=2181');
  for (let i = random.below(5); i >= 0; i--) {
    const prefix = random.below(6) === 0 ? 'zookeeper.' : '';
    const value =
      random.below(12) === 0 ? Buffer.from(random.bytes(random.below(40))).toString('latin1') : pick(random, VALUES);
    lines.push(`${prefix}${pick(random, NAMES)}${pick(random, ['=', '=', '=', ':', ' ', '', ' = '])}${value}`);
  }
  if (random.below(3) === 0) lines.push('initLimit=5', 'syncLimit=2', ...memberLines(random));
  const whole = lines.join(pick(random, ['\n', '\n', '\n', '\r\n', '\r', '\\\n']));
  const what = random.below(10);
  if (what === 0)
    return Buffer.from(random.bytes(random.below(300))).toString(random.below(2) === 0 ? 'latin1' : 'utf8');
  if (what > 2) return whole;
  const at = random.below(whole.length + 1);
  const cut = random.below(6);
  return (
    whole.slice(0, at) + pick(random, ['', '\u0000', '\\', '\n', '=', '\uFEFF', '\\u12', '"']) + whole.slice(at + cut)
  );
}

const MEMBERS = [
  ...['server.1=127.0.0.1:1:2', 'server.2=127.0.0.1:3:4;5', 'server.3=127.0.0.1:6:7:observer', 'server.4=h:1:2'],
  ...['server.5=[::1]:8:9|127.0.0.1:8:9:participant;[::1]:1', 'group.1=1:2', 'group.2=5', 'weight.1=0', 'version=1f'],
];
/** Lines about members, some of them spoilt. */
export function memberLines(random: Random): string[] {
  const lines = MEMBERS.filter((_line, at) => (at < 3 ? random.below(8) > 0 : random.below(8) === 0));
  return lines.map((line) =>
    random.below(20) > 0 ? line : line.slice(0, random.below(line.length)) + pick(random, VALUES),
  );
}
function beside(random: Random): Beside {
  const myid = random.below(8) === 0 ? pick(random, [undefined, ...VALUES]) : pick(random, ['1', '2\n', '3']);
  const dynamic = { text: memberLines(random).join('\n'), file: pick(random, ['/d', '/d.1f', '/d.x', '/d.\u0000']) };
  return {
    myid: myid === undefined ? undefined : { text: myid, from: { file: 'myid', line: 1 } },
    ...(random.below(3) > 0 && { dynamic }),
  };
}

/** What came of it, in a word. @throws whatever is not a ConfigError */
function outcome(given: string, random: Random): string {
  let settings: Setting[];
  try {
    const form = random.below(12);
    if (form === 0) settings = [...parseProperties('dataDir=/d', 'f'), parseAssignment(given, '--set')];
    else if (form === 1) settings = parseJvmFlags(given, 'JVMFLAGS');
    else settings = parseProperties(given, 'zoo.cfg');
    const config = checkConfig(settings, beside(random));
    assert.ok(config.dataDir.length > 0 && Number.isInteger(config.tickTimeMs) && config.tickTimeMs > 0);
    if (config.ensemble === undefined) return 'read';
    const { sid, servers, members, lines } = config.ensemble;
    assert.ok(servers.some(({ id }) => id === sid) && members.length === servers.length);
    assert.ok(lines.length >= members.length && members.every(({ addresses }) => addresses.length > 0));
    return 'read, of an ensemble';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assert.equal(error.exitCode, 43);
    assert.ok(error.message.length > 10 && error.remedy.length > 10, error.message);
    return error.remedy.replace(/[-\d.]+|server\.\S+/g, 'N');
  }
}

/** What came of so many, and the longest, ms. @throws for whatever is not refused in order, and for what takes too long */
export function fuzzConfig(inputs: number, random: Random): { outcomes: ReadonlyMap<string, number>; longest: number } {
  const outcomes = new Map<string, number>();
  let longest = 0;
  const timed = (given: string): void => {
    let took = Number.POSITIVE_INFINITY;
    let what = '';
    // one that is slow is slow every time; the machine has others to serve
    for (let again = 0; again < 4 && took > SLOW_MS; again++) {
      const spent = stopwatch();
      try {
        what = outcome(given, random);
      } catch (error) {
        assert.fail(`${JSON.stringify(given.slice(0, 2000))}: ${(error as Error).stack}`);
      }
      took = Math.min(took, spent());
    }
    assert.ok(took <= SLOW_MS, `${took} ms for ${given.length} characters: ${JSON.stringify(given.slice(0, 100))}`);
    longest = Math.max(longest, took);
    outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
  };
  for (let i = 0; i < inputs; i++) timed(text(random));
  // long ones, of what a careless reader goes over again and again
  const units = [
    '\\',
    '\\\n',
    ' ',
    '\t',
    '=',
    ':',
    'a=',
    '\n',
    'a=b\\\n',
    '-D',
    ' -Da="',
    ' -Da=\'"',
    '\\u0041',
    'h:1:2|',
    '9',
    '[',
  ];
  for (const unit of units)
    for (const before of ['', 'server.1=', 'dataDir=', 'autopurge.purgeInterval=', 'clientPort='])
      for (const after of ['', 'x', '\n']) timed(before + unit.repeat(LONG / unit.length) + after);
  return { outcomes, longest };
}
