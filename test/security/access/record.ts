/**
 * Asks Debian's ZooKeeper who may do what, and writes it down: `node dist/test/security/access/record.js FILE`. With `--check`
 * it is compared with what FILE says.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { ApacheProcess } from '../../interop/apache-process.ts';
import { SUPER_DIGEST } from './pure-wire.ts';
import { SocketWire } from './socket-wire.ts';
import { table } from './table.ts';

const [file, check] = process.argv.slice(2);
if (file === undefined) throw new Error('which file?');
await using apache = new ApacheProcess([
  `DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`,
  'extendedTypesEnabled=true',
]);
await apache.start();
await using wire = new SocketWire(apache.hosts);
const text = `${(await table(wire)).join('\n')}\n`;
if (check !== '--check') writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error(text);
  console.error(`the server says something else than ${file}`);
  process.exitCode = 1;
}
