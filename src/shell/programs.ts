/** What zoosh does besides the shell's commands, by the words that its own line begins with: no prompt runs them. */
export const PROGRAMS: ReadonlySet<string> = new Set([
  'playground',
  'start',
  'server',
  'shims',
  'import-apache',
  'export-apache',
  'backup',
  'restore',
  'txnlog',
  'snapshot',
  'verify',
  'digest',
  'with',
  'init',
  'completion',
]);

/** Where that is told of. */
export const programHint = (name: string): string => `zoosh ${name} --help tells of it, outside the shell`;
