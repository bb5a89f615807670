import { isLoopback } from '../server/config-servers.ts';

/** Addresses that are told of; beyond it a sentence says that there are more. */
const MOST = 256;

/** Passwords that came without TLS from beyond this machine: each address is told of once. */
export class ClearPasswords {
  private readonly known = new Set<string>();
  private readonly tell: (sentence: string) => void;
  constructor(tell: (sentence: string) => void) {
    this.tell = tell;
  }
  /** A login by digest from there; `ip` as Java prints it. */
  from(ip: string): void {
    if (this.known.size >= MOST || this.known.has(ip) || isLoopback(ip)) return;
    this.known.add(ip);
    this.tell(
      `a client at ${ip} logged in by digest without TLS: its password can be read on the way; set secureClientPort and let clients use it, then digest.requireTls=true`,
    );
    if (this.known.size === MOST) this.tell('further addresses that log in by digest without TLS are not told of');
  }
}
