import type { LogFileEntry } from './identity.ts';

export type LogFiles = readonly LogFileEntry[];

/** Which files are the log: the identity record's list, or that of a history which is not ours yet. */
export interface LogList {
  readonly files: LogFiles;
  /** Durable when it resolves. */
  change(next: (files: LogFiles) => LogFiles): Promise<void>;
  /** After a change that failed for want of room: what is durable is {@link files} again. */
  recover(): Promise<void>;
}

/** The list of a history that is being staged: nobody reads it after a crash. */
export class StagedList implements LogList {
  files: LogFiles = [];
  async change(next: (files: LogFiles) => LogFiles): Promise<void> {
    this.files = next(this.files);
  }
  async recover(): Promise<void> {}
}
