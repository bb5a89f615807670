import { fileWords } from '../base/file-words.ts';
import { showSession } from '../base/ids.ts';
import { oneLine } from '../base/one-line.ts';
import type { AuditEvent, AuditOperation } from '../server/audit.ts';
import type { AuditConfig } from '../server/config-audit.ts';
import { type Logger, makeLogger } from './log.ts';
import { LogFile } from './log-file.ts';
import { StartError } from './start-error.ts';
import { userHere } from './user-here.ts';

/** The name under which ZooKeeper logs them, by which people find them among other lines. */
export const AUDIT_NAME = 'org.apache.zookeeper.audit.Slf4jAuditLogger';
type Row = readonly [name: string, value: string][];

/**
 * The audit log of one process: a line for each event, with ZooKeeper's names in ZooKeeper's order. In a file of its own, or
 * among the server's lines whatever their level. What one turn of the loop brought is written at its end.
 */
export class AuditLog {
  private readonly user = userHere().name;
  private readonly put: (events: readonly AuditEvent[]) => void;
  private readonly file: LogFile | undefined;
  private gathered: AuditEvent[] = [];

  /** @throws StartError (40) when its file cannot be opened */
  constructor(config: AuditConfig, logger: Logger) {
    const { file: path, maxBytes, maxFiles, json } = config;
    if (path === undefined) {
      const to = logger.child({}, { level: 'info' });
      this.put = (events) => {
        for (const event of events) {
          const level = event.result === 'failure' ? 'error' : 'info';
          const row = rowOf(event, this.user);
          if (json) to[level]({ audit: Object.fromEntries(row) }, AUDIT_NAME);
          else to[level](`${AUDIT_NAME}: ${pairs(row)}`);
        }
      };
      return;
    }
    try {
      this.file = new LogFile({ path, maxBytes, maxFiles }, (sentence) =>
        logger.error(`the audit log cannot be written: ${sentence}`),
      );
    } catch (error) {
      throw new StartError(40, `audit.logFile ${path} cannot be opened: ${fileWords(error)}`);
    }
    const lines: string[] = [];
    const own = { write: (line: string) => void lines.push(line) };
    const to = makeLogger('info', json ? 'ndjson' : 'text', own);
    this.put = (events) => {
      for (const event of events) {
        const level = event.result === 'failure' ? 'error' : 'info';
        const row = rowOf(event, this.user);
        if (json) to[level](Object.fromEntries(row));
        else to[level](pairs(row));
      }
      this.file?.write(lines.join(''));
      lines.length = 0;
    };
  }
  readonly note = (event: AuditEvent): void => {
    if (this.gathered.push(event) === 1) queueMicrotask(() => this.flush());
  };
  /** Of the server itself: by whoever it runs as. */
  server(operation: AuditOperation & ('serverStart' | 'serverStop'), result: AuditEvent['result']): void {
    const none = { session: undefined, user: undefined, ip: undefined, znode: undefined };
    this.note({ ...none, operation, znodeType: undefined, acl: undefined, result });
    this.flush();
  }
  reopen(): void {
    this.flush();
    this.file?.reopen();
  }
  close(): void {
    this.flush();
    this.file?.close();
  }
  private flush(): void {
    const { gathered } = this;
    if (gathered.length === 0) return;
    this.gathered = [];
    this.put(gathered);
  }
}

/** The audit log that is asked for, if any. @throws StartError (40) */
export const openAudit = (config: AuditConfig, logger: Logger): AuditLog | undefined =>
  config.enabled ? new AuditLog(config, logger) : undefined;

function rowOf(event: AuditEvent, here: string): Row {
  const { session, user = here, ip, operation, znode, znodeType, acl, result } = event;
  const all: [string, string | undefined][] = [
    ['session', session === undefined ? undefined : showSession(session)],
    ['user', user === '' ? undefined : user],
    ['ip', ip],
    ['operation', operation],
    ['znode', znode],
    ['znode_type', znodeType],
    ['acl', acl],
    ['result', result],
  ];
  return all.filter((pair): pair is [string, string] => pair[1] !== undefined);
}
/** A path that was refused may hold anything: a line stays a line, and a field a field. */
const pairs = (row: Row): string => row.map(([name, value]) => `${name}=${oneLine(value)}`).join('\t');
