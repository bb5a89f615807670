/**
 * Asks Debian's ZooKeeper who may do what, and writes it down: `node dist/test/security/access/record.js FILE`. With `--check`
 * it is compared with what FILE says. With `--proved`: of those who log in by SASL or show certificates.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApacheProcess } from '../../interop/apache-process.ts';
import { ownBlock } from '../../ports.ts';
import { makeCertificate } from '../../tls/certificates.ts';
import { authority, SUPER_PASSWORD, SUPER_SUBJECT, USERS } from './holders.ts';
import { provedTable } from './proved.ts';
import { SUPER_DIGEST } from './pure-wire.ts';
import { SocketWire } from './socket-wire.ts';
import { table } from './table.ts';

const words = process.argv.slice(2);
const file = words.find((word) => !word.startsWith('--'));
if (file === undefined) throw new Error('which file?');
const LINES = [`DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`, 'extendedTypesEnabled=true'];
const text = `${(await (words.includes('--proved') ? proved() : plain())).join('\n')}\n`;
if (!words.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error(text);
  console.error(`the server says something else than ${file}`);
  process.exitCode = 1;
}

async function plain(): Promise<string[]> {
  await using apache = new ApacheProcess(LINES);
  await apache.start();
  await using wire = new SocketWire(apache.hosts);
  return await table(wire);
}

async function proved(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-record-'));
  try {
    const write = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content, { mode: 0o600 });
      return join(folder, name);
    };
    // there super must be among the users, with any password: superPassword counts
    const users = Object.entries({ ...USERS, super: 'any' }).map(([user, password]) => `user_${user}="${password}"`);
    const module = 'org.apache.zookeeper.server.auth.DigestLoginModule required';
    const jaas = write('jaas.conf', `Server { ${module} ${users.join(' ')}; };\n`);
    const port = await ownBlock('127.0.0.1', 1);
    const lines = [
      ...LINES,
      'authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
      `SASLAuthenticationProvider.superPassword=${SUPER_PASSWORD}`,
      'superUser=root',
      'serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory',
      ...[`secureClientPort=${port}`, 'secureClientPortAddress=127.0.0.1'],
      `ssl.keyStore.location=${write('own.pem', makeCertificate(authority, { hosts: ['127.0.0.1'] }).store)}`,
      `ssl.trustStore.location=${write('ca.pem', authority.pem)}`,
      `X509AuthenticationProvider.superUser=${SUPER_SUBJECT}`,
    ];
    await using apache = new ApacheProcess(lines, [`-Djava.security.auth.login.config=${jaas}`]);
    await apache.start();
    await using wire = new SocketWire(apache.hosts, port);
    return await provedTable(wire);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
