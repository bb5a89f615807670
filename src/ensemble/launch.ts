import { dirname, resolve } from 'node:path';
import { plural } from '../base/counts.ts';
import { Failure, usage } from '../shell/failure.ts';
import { type BringUp, Ensemble } from './ensemble.ts';
import { type EnsembleFile, EnsembleFolder, votersOf } from './layout.ts';
import { type MakeOptions, makeEnsemble, pathsOf, removeFiles } from './make.ts';

/** Somebody took a port between our look and the member's own: that often is another block tried. */
const TRIES = 3;

export interface Launch extends Omit<BringUp, 'temporary'> {
  /** Folder of the ensemble. */
  readonly path: string;
  readonly make: MakeOptions;
  /** Numbers that were asked for, and which one that is there already must have. */
  readonly asked: {
    readonly voters?: number | undefined;
    readonly observers?: number | undefined;
    readonly host?: string | undefined;
  };
  /** A folder around it that lives no longer than this process. */
  readonly throwaway?: string | undefined;
  /** Leave files behind when it does not come up. */
  readonly keep: boolean;
  /** What helps when no quorum comes in time, and the logs are gone. */
  readonly lateHint?: string;
  /** So many members are started from here on. */
  readonly begins?: (members: number) => void;
  /** These run, and faults in force may keep them from a quorum. */
  readonly hindered?: (ids: readonly number[]) => void;
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
      // with what was made its logs went, too
      if (!options.keep && error instanceof Failure && error.code === 'NoQuorum')
        throw new Failure(error.exit, error.code, error.message, { hint: options.lateHint, cause: error });
      const isPort = error instanceof Failure && error.exit === 41;
      if (!isPort || make.exactBase || left <= 1 || options.keep) throw error;
    }
  }
}

function temporaryOf(ensemble: Ensemble, { throwaway, keep }: Launch): BringUp['temporary'] {
  if (throwaway !== undefined) return { paths: [...pathsOf(ensemble), throwaway], until: 'end' };
  return keep ? undefined : { paths: pathsOf(ensemble), until: 'serving' };
}

/** What was asked for and the ensemble has otherwise: how it has that. */
function otherThan(file: EnsembleFile, { make, asked }: Launch): string | undefined {
  const { exactBase, basePort, data, settings } = make;
  if (exactBase && basePort !== file.basePort) return `ports from ${file.basePort} on (--base-port ${basePort})`;
  if (asked.host !== undefined && asked.host !== file.host) return `the address ${file.host} (--host ${asked.host})`;
  if (data !== undefined && resolve(data) !== file.data) return `its members in ${file.data} (--data ${data})`;
  if (settings.length === 0 || settings.join('\n') === file.settings.join('\n')) return undefined;
  // values may be secrets
  const keys = (all: readonly string[]): string => all.map((text) => text.replace(/=.*/s, '')).join(', ');
  return file.settings.length === 0
    ? `no settings of its own (--set ${keys(settings)})`
    : `other settings, of ${keys(file.settings)} (--set ${keys(settings)})`;
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
      `the ensemble ${name} is there already, with ${plural(voters, 'voter')} and ${plural(observers, 'observer')}`,
      `start it as it is and use zoosh ensemble scale, or zoosh ensemble destroy ${name}`,
    );
  const other = otherThan(file, options);
  if (other !== undefined)
    throw usage(
      `the ensemble ${name} is there already, with ${other}`,
      `leave that out, and it is started as it is; zoosh ensemble destroy ${name} makes way for another`,
    );
  note(`${name} is there already; its data is kept`);
  options.begins?.(file.members.length);
  const hindered = await ensemble.bringUp(ensemble.ids, options);
  if (hindered.length > 0) options.hindered?.(hindered);
  return ensemble;
}
