import type { Reader } from './config-reader.ts';

/** Who changed what, written down (operations.md f). */
export interface AuditConfig {
  readonly enabled: boolean;
  /** Undefined: among the server's own lines. */
  readonly file: string | undefined;
  /** The largest size of one file, and how many there may be. */
  readonly maxBytes: number;
  readonly maxFiles: number;
  /** Objects instead of `key=value` pairs. */
  readonly json: boolean;
}

/** The class of ZooKeeper's own audit log, whose lines ours are. */
const OWN = /^(org\.apache\.zookeeper\.audit\.)?Slf4jAuditLogger$/;

/** @throws ConfigError */
export function auditConfig(take: Reader, notes: string[]): AuditConfig {
  const format = take.text('audit.format') ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw take.error('audit.format', `no audit format ${format}`, 'write text or json');
  const impl = take.text('audit.impl.class');
  if (impl !== undefined && !OWN.test(impl))
    notes.push(`audit.impl.class=${impl} cannot be loaded here: the audit log is written by our own`);
  return {
    enabled: take.flag('audit.enable'),
    file: take.text('audit.logFile'),
    maxBytes: take.atLeast('audit.maxFileSizeInKb', 4) * 1024,
    maxFiles: take.atLeast('audit.maxFiles', 1),
    json: format === 'json',
  };
}
