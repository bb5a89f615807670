import { folders } from '../config/folders.ts';
import { EnsemblesOf } from '../ensemble/local.ts';
import type { MemberCommand } from '../ensemble/process.ts';

/** Names the folder of the ensemble that `with` and `playground` started, for what runs within them. */
export const ENSEMBLE_VARIABLE = 'ZOOSH_ENSEMBLE';

/** This program, started again. */
export const ownCommand = (): MemberCommand => ({
  program: process.execPath,
  args: [...process.execArgv, process.argv[1] as string],
});

/** The ensembles of this user on this machine. */
export function localEnsembles(): EnsemblesOf {
  const current = process.env[ENSEMBLE_VARIABLE];
  return new EnsemblesOf({
    root: folders().ensembles,
    current: current === '' ? undefined : current,
    command: ownCommand(),
  });
}
