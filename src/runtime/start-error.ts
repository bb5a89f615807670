/** A server that cannot start. `exitCode` is the process's. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

const WHY: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'that address is not one of this machine',
  EACCES: 'not permitted; ports below 1024 may need rights that this user has not',
};

/** `host:port`, with brackets around an IPv6 address. */
export const placeOf = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Where what is wrong with the address stands, when it is not the port's own setting. */
const ADDRESS_OF: Readonly<Record<string, string>> = {
  clientPort: 'clientPortAddress',
  secureClientPort: 'secureClientPortAddress',
  'admin.serverPort': 'admin.serverAddress',
  'metricsProvider.httpPort': 'metricsProvider.httpHost',
};

/** Why a port could not be opened, as a StartError; `key` is the setting that names it. */
export function listenError(error: unknown, where: string, address: string | undefined, key: string): StartError {
  if (error instanceof StartError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new StartError(41, `${where} (${key}) is in use by another process. Stop it, or choose another port`);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    // nothing may be wrong with what is written: at boot the network comes late, and whoever starts us tries again
    return new StartError(
      40,
      `${address} does not resolve to an address (${ADDRESS_OF[key] ?? key}). Correct the name, or see that DNS answers, and start again`,
    );
  const names = code === 'EADDRNOTAVAIL' ? (ADDRESS_OF[key] ?? key) : key;
  return new StartError(40, `cannot listen on ${where} (${names}): ${WHY[code ?? ''] ?? code ?? message}`);
}
