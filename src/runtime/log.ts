import { type Logger, pino } from 'pino';

export type { Logger };
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Lines on stderr: text for people, ndjson for machines. pino's only door. */
export function makeLogger(level: LogLevel, format: 'text' | 'ndjson'): Logger {
  if (format === 'ndjson') return pino({ level, base: null }, pino.destination({ dest: 2, sync: true }));
  const stream = {
    write(line: string): void {
      const { time, level: number, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
      const name = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }[Number(number)] ?? String(number);
      const more = Object.entries(rest).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
      process.stderr.write(
        `${new Date(Number(time)).toISOString()} ${name.padEnd(5)} ${String(msg)}${more.join('')}\n`,
      );
    },
  };
  return pino({ level, base: null }, stream);
}
