/**
 * Makes the files in test/golden/apache-3.8 with Debian's server: `node dist/test/apache/make-golden.js DIR`. Three runs on one
 * directory: snapshots plain, by gzip, by snappy; each run ends by SIGKILL with ephemerals alive. Beside them: what a
 * client saw at the end of the last.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { connect } from '../../src/index.ts';
import { ApacheServer } from './apache-server.ts';
import { dump } from './dump.ts';
import { firstPart, laterPart } from './scene.ts';

const into = process.argv[2] as string;
const folder = mkdtempSync(join(tmpdir(), 'formats-golden-'));
const SUPER = '-Dzookeeper.DigestAuthenticationProvider.superDigest=super:xQJmxLMiHGwaqBvst5y6rkB6HQs=';
const run = (...java: string[]): Promise<ApacheServer> => ApacheServer.start(folder, { java: [SUPER, ...java] });
try {
  {
    await using server = await run();
    await firstPart(server.hosts);
  }
  {
    await using server = await run('-Dzookeeper.snapshot.compression.method=gz');
    await laterPart(server.hosts, 1);
  }
  let seen = '';
  {
    await using server = await run('-Dzookeeper.snapshot.compression.method=snappy');
    await laterPart(server.hosts, 2);
    const admin = await connect(server.hosts, { auth: [{ scheme: 'digest', auth: 'super:admin' }] });
    seen = JSON.stringify(await dump(admin), null, 1);
  }
  mkdirSync(into, { recursive: true });
  const version2 = join(folder, 'data', 'version-2');
  for (const name of readdirSync(version2))
    if (name.startsWith('log.'))
      writeFileSync(join(into, `${name}.packed`), gzipSync(readFileSync(join(version2, name))));
    else copyFileSync(join(version2, name), join(into, name));
  writeFileSync(join(into, 'dump.json.packed'), gzipSync(seen));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
