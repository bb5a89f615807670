import { type Logger, pino } from 'pino';
import type { LogFile } from './log-file.ts';

export type { Logger };
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = 'text' | 'ndjson';

export const isLogLevel = (text: string): text is LogLevel => (LOG_LEVELS as readonly string[]).includes(text);

/** Lines on stderr, or in a file: text for people, ndjson for machines. Its `level` may be set at any time. pino's only door. */
export function makeLogger(level: LogLevel, format: LogFormat, file?: Pick<LogFile, 'write'>): Logger {
  if (format === 'ndjson') {
    const to = file === undefined ? pino.destination({ dest: 2, sync: true }) : file;
    return pino({ level, base: null }, to);
  }
  const put =
    file === undefined ? (line: string) => void process.stderr.write(line) : (line: string) => file.write(line);
  const stream = {
    write(line: string): void {
      const { time, level: number, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
      const name = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }[Number(number)] ?? String(number);
      const more = Object.entries(rest).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
      put(`${new Date(Number(time)).toISOString()} ${name.padEnd(5)} ${String(msg)}${more.join('')}\n`);
    },
  };
  return pino({ level, base: null }, stream);
}
