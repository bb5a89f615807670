import { dirname } from 'node:path';
import { Failure, usage } from '../shell/failure.ts';
import { type BringUp, Ensemble } from './ensemble.ts';
import { EnsembleFolder, votersOf } from './layout.ts';
import { type MakeOptions, makeEnsemble, pathsOf, removeFiles } from './make.ts';

/** Somebody took a port between our look and the member's own: that often is another block tried. */
const TRIES = 3;

export interface Launch extends Omit<BringUp, 'temporary'> {
  /** Folder of the ensemble. */
  readonly path: string;
  readonly make: MakeOptions;
  /** Numbers that were asked for, and which one that is there already must have. */
  readonly asked: { readonly voters?: number | undefined; readonly observers?: number | undefined };
  /** A folder around it that lives no longer than this process. */
  readonly throwaway?: string | undefined;
  /** Leave files behind when it does not come up. */
  readonly keep: boolean;
  /** So many members are started from here on. */
  readonly begins?: (members: number) => void;
  /** Told what is worth saying. */
  readonly note: (sentence: string) => void;
}

/**
 * Makes an ensemble and starts it, or starts one that is there already, and waits for a quorum. What it made is gone again
 * when that fails. @throws Failure: 2, 40 to 45, or the signal's reason
 */
export async function launch(options: Launch): Promise<Ensemble> {
  const { path, make, note } = options;
  if (new EnsembleFolder(path).exists) return startAgain(options);
  for (let left = TRIES; ; left--) {
    const { ensemble, moved } = await makeEnsemble(path, dirname(path), make);
    const { basePort } = ensemble.file;
    if (moved) note(`ports from ${make.basePort} on are in use; this one has those from ${basePort} on`);
    try {
      options.signal.throwIfAborted();
      options.begins?.(ensemble.ids.length);
      await ensemble.bringUp(ensemble.ids, { ...options, temporary: temporaryOf(ensemble, options) });
      return ensemble;
    } catch (error) {
      if (!options.keep) removeFiles(ensemble);
      const isPort = error instanceof Failure && error.exit === 41;
      if (!isPort || make.exactBase || left <= 1 || options.keep) throw error;
    }
  }
}

function temporaryOf(ensemble: Ensemble, { throwaway, keep }: Launch): BringUp['temporary'] {
  if (throwaway !== undefined) return { paths: [...pathsOf(ensemble), throwaway], until: 'end' };
  return keep ? undefined : { paths: pathsOf(ensemble), until: 'serving' };
}

async function startAgain(options: Launch): Promise<Ensemble> {
  const { path, asked, note } = options;
  const ensemble = new Ensemble(path);
  const { name, file } = ensemble;
  if (ensemble.running.length > 0)
    throw new Failure(42, 'Running', `the ensemble ${name} runs already`, { hint: `zoosh ensemble status ${name}` });
  const voters = votersOf(file).length;
  const observers = file.members.length - voters;
  if ((asked.voters ?? voters) !== voters || (asked.observers ?? observers) !== observers)
    throw usage(
      `the ensemble ${name} is there already, with ${voters} voters and ${observers} observers`,
      `start it as it is and use zoosh ensemble scale, or zoosh ensemble destroy ${name}`,
    );
  note(`${name} is there already; its data is kept`);
  options.begins?.(file.members.length);
  await ensemble.bringUp(ensemble.ids, options);
  return ensemble;
}
