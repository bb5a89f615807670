/** Certificates for ensembles of real processes, and zoo.cfg lines that name them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Authority, type Certificate, makeAuthority } from '../tls/certificates.ts';

/** PEM files below a folder. */
export class PemFiles {
  readonly folder: string;
  readonly authority: Authority = makeAuthority('the members');
  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }
  write(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }
  /** Settings of a member that shows this certificate and believes the authority. */
  lines(name: string, { store }: Certificate, believed = this.authority.pem): string[] {
    return [
      'sslQuorum=true',
      `ssl.quorum.keyStore.location=${this.write(`${name}.pem`, store)}`,
      `ssl.quorum.trustStore.location=${this.write(`${name}-ca.pem`, believed)}`,
    ];
  }
}
