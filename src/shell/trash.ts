/** What changes made in this shell replaced, kept in files so that they can be taken back. */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../base/make-folders.ts';
import type { Acl } from '../client/api.ts';
import { aclJson, nodeLine, nodeOf } from './node-json.ts';
import type { NodeRecord } from './node-record.ts';
import { showBytes } from './units.ts';

/** What one command may take, of data. */
export const UNDO_BYTES = 64 * 1024 * 1024;
const LIMITS = { entryBytes: UNDO_BYTES, bytes: 200 * 1024 * 1024 };
const MAX_AGE_MS = 14 * 86_400_000;
const ENDING = '.undo';
/** Which nodes undos have made in place of which. */
const LINKS = 'links';
const LINKS_BYTES = 4 * 1024 * 1024;

/** One thing that was done. Versions are those the node has afterwards, and `after` stands for its data then ({@link markOf}). */
export type Step =
  | {
      readonly did: 'created';
      readonly path: string;
      readonly czxid: string;
      readonly after?: string;
      /** It was to go by itself: nothing lacks when it has. */
      readonly isEphemeral?: true;
    }
  | { readonly did: 'set'; readonly node: NodeRecord; readonly version: number; readonly after?: string }
  | {
      readonly did: 'acl';
      readonly path: string;
      readonly acl: readonly Acl[];
      readonly aversion: number;
      readonly czxid?: string;
      /** The ACL then, in words. */
      readonly after?: string;
    }
  | { readonly did: 'deleted'; readonly node: NodeRecord }
  /** It happened, and what it replaced is not kept; `why` in words. */
  | { readonly did: 'unkept'; readonly path: string; readonly why: string; readonly lost?: Lost };

/** What is known of a node without its data: where that stands elsewhere it can be told, and read there. */
export interface Lost {
  /** Of its data ({@link markOf}). */
  readonly mark: string;
  /** What came in the place of its data; undefined: the node went. */
  readonly after?: string;
  /** All but its data. */
  readonly node: NodeRecord;
}

/** The same for the same data, and for no other. */
export const markOf = (data: Uint8Array | null): string =>
  data === null ? 'none' : createHash('sha256').update(data).digest('base64url').slice(0, 22);

/** What one command did. */
export interface TrashEntry {
  readonly id: string;
  /** 1 is the latest. */
  readonly number: number;
  /** ms since 1970 */
  readonly at: number;
  readonly target: string;
  readonly command: string;
  /** It took back another one. */
  readonly isUndo: boolean;
  /** Steps of each kind; undefined when the shell died before it ended. */
  readonly counts: Readonly<Record<Step['did'], number>> | undefined;
  readonly bytes: number;
}

/** Takes the steps of one command as it goes along. */
export interface TrashDraft {
  /** There is room for more; when not, this command cannot be taken back. */
  readonly isOpen: boolean;
  /** Something of it can be taken back. */
  readonly keeps: boolean;
  /** Its number among the steps. */
  add(step: Step): number;
  /** `count` steps from number `first` on did not happen. */
  void(first: number, count: number): void;
  /** Keeps nothing. */
  drop(): void;
  /** Lines for the user: what is not kept. */
  end(): readonly string[];
}

interface Header {
  readonly zoosh: 'undo';
  readonly version: 1;
  readonly at: number;
  readonly target: string;
  readonly command: string;
  readonly isUndo?: boolean;
}

export interface TrashOptions {
  /** Undefined: nothing is kept. */
  readonly folder: string | undefined;
  /** ms since 1970 */
  readonly now: () => number;
  /** What one command, and all of them, may take. Default 64 MB and 200 MB. */
  readonly limits?: typeof LIMITS;
}

/** A node that an undo has made, and the czxid of the one it stands for. */
export interface Link {
  readonly path: string;
  readonly was: string;
  readonly czxid: string;
}

export class Trash {
  readonly #folder: string | undefined;
  readonly #now: () => number;
  readonly #limits: typeof LIMITS;
  #sequence = 0;

  constructor({ folder, now, limits = LIMITS }: TrashOptions) {
    this.#limits = limits;
    this.#folder = folder;
    this.#now = now;
  }
  get isKept(): boolean {
    return this.#folder !== undefined;
  }

  /** Takes what a command does; the file is made with its first step. */
  begin(about: { readonly target: string; readonly command: string; readonly isUndo: boolean }): TrashDraft {
    const folder = this.#folder;
    const at = this.#now();
    const id = `${String(at).padStart(15, '0')}-${process.pid}-${String(++this.#sequence).padStart(5, '0')}`;
    const header: Header = { zoosh: 'undo', version: 1, at, ...about };
    return new Draft(
      folder === undefined ? undefined : join(folder, id + ENDING),
      header,
      this.#limits.entryBytes,
      () => this.prune(),
    );
  }

  /** The latest first. */
  list(): TrashEntry[] {
    return this.#files()
      .reverse()
      .flatMap((file, at) => {
        const entry = this.#entry(file, at + 1);
        return entry === undefined ? [] : [entry];
      });
  }

  /** What was done, in the order it was. @throws Failure (2) for a file that was tampered with */
  steps(id: string): Step[] {
    const out: (Step | undefined)[] = [];
    const [, ...lines] = readFileSync(this.#path(id), 'utf8').split('\n');
    for (const [at, line] of lines.entries()) {
      const value = parsed(line); // the last line of a shell that died may be cut
      if (value === undefined) continue;
      if (value.did === 'void') out.fill(undefined, Number(value.first), Number(value.first) + Number(value.count));
      else if (value.did !== 'end') out.push(stepOf(value, `${id}:${at + 2}`));
    }
    return out.filter((step) => step !== undefined);
  }

  /** An undo has made nodes in place of those that had the czxids `was`: what was done to these can still be taken back. */
  link(target: string, made: readonly Link[]): void {
    if (this.#folder === undefined || made.length === 0) return;
    const file = join(this.#folder, LINKS);
    try {
      appendFileSync(file, made.map((each) => `${JSON.stringify({ target, ...each })}\n`).join(''), { mode: 0o600 });
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= LINKS_BYTES) return;
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
      writeFileSync(file, `${lines.slice(lines.length / 2).join('\n')}\n`, { mode: 0o600 });
    } catch {
      // without it that much less can be taken back, which is said then
    }
  }
  /** Of each node, by path and czxid, the czxid of the one that an undo made in its place last. */
  laterOf(target: string): (path: string, czxid: string) => string | undefined {
    let later: Map<string, string> | undefined;
    return (path, czxid) => {
      later ??= this.#links(target);
      let found: string | undefined;
      // what was made again may have been made again once more
      for (let left = later.size, next = later.get(`${czxid} ${path}`); left > 0 && next !== undefined; left--) {
        found = next;
        next = later.get(`${next} ${path}`);
      }
      return found;
    };
  }
  #links(target: string): Map<string, string> {
    const later = new Map<string, string>();
    let text = '';
    try {
      text = readFileSync(join(this.#folder as string, LINKS), 'utf8');
    } catch {
      return later; // there is none yet
    }
    for (const line of text.split('\n')) {
      const value = parsed(line);
      if (value?.target === target) later.set(`${String(value.was)} ${String(value.path)}`, String(value.czxid));
    }
    return later;
  }

  remove(id: string): void {
    rmSync(this.#path(id), { force: true });
  }
  clear(): void {
    for (const file of [...this.#files(), LINKS]) rmSync(join(this.#folder as string, file), { force: true });
  }

  /** Takes away what is too old, and the oldest of what is too much. */
  prune(): void {
    let total = 0;
    for (const file of this.#files().reverse()) {
      const path = join(this.#folder as string, file);
      const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0 };
      total += size;
      if (total > this.#limits.bytes || this.#now() - timeOf(file) > MAX_AGE_MS) rmSync(path, { force: true });
    }
  }

  #path(id: string): string {
    return join(this.#folder as string, id + ENDING);
  }
  /** The oldest first: names begin with the time. */
  #files(): string[] {
    if (this.#folder === undefined) return [];
    try {
      return readdirSync(this.#folder)
        .filter((name) => name.endsWith(ENDING))
        .sort();
    } catch {
      return []; // there is no trash yet
    }
  }
  #entry(file: string, number: number): TrashEntry | undefined {
    const path = join(this.#folder as string, file);
    const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0 };
    const header = parsed(linePart(path, 0, Math.min(size, 64 * 1024)).split('\n')[0] ?? '');
    if (header?.zoosh !== 'undo') return undefined;
    const { at, target, command, isUndo } = header as unknown as Header;
    const end = parsed(
      linePart(path, Math.max(0, size - 1024), size)
        .trimEnd()
        .split('\n')
        .at(-1) ?? '',
    );
    return {
      id: file.slice(0, -ENDING.length),
      number,
      at,
      target,
      command,
      isUndo: isUndo === true,
      counts: end?.did === 'end' ? (end.counts as TrashEntry['counts']) : undefined,
      bytes: size,
    };
  }
}

const timeOf = (file: string): number => Number(file.slice(0, 15));

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function linePart(file: string, from: number, to: number): string {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(to - from);
    readSync(fd, bytes, 0, bytes.length, from);
    return bytes.toString();
  } finally {
    closeSync(fd);
  }
}

const lineOfStep = (step: Step): string => {
  if (step.did === 'set' || step.did === 'deleted') {
    const { did, version, after } = step.did === 'set' ? step : { did: step.did, version: undefined, after: undefined };
    return `${JSON.stringify({ did, version, after }).slice(0, -1)},"node":${nodeLine(step.node, true)}}`;
  }
  if (step.did === 'unkept' && step.lost !== undefined) {
    const { did, path, why, lost } = step;
    const head = JSON.stringify({ did, path, why, mark: lost.mark, after: lost.after });
    return `${head.slice(0, -1)},"node":${nodeLine(lost.node, true)}}`;
  }
  return JSON.stringify(step.did === 'acl' ? { ...step, acl: aclJson(step.acl) } : step);
};

function stepOf(value: Record<string, unknown>, where: string): Step {
  const { did, node, version, path, acl, aversion, czxid, after } = value;
  if (did === 'set')
    return {
      ...{ did, node: nodeOf(node, where), version: Number(version) },
      ...(after !== undefined && { after: String(after) }),
    };
  if (did === 'deleted') return { did, node: nodeOf(node, where) };
  if (did === 'unkept' && node !== undefined)
    return {
      ...{ did, path: String(path), why: String(value.why) },
      lost: {
        mark: String(value.mark),
        node: nodeOf(node, where),
        ...(after !== undefined && { after: String(after) }),
      },
    };
  if (did === 'acl')
    return {
      ...{ did, path: String(path), acl: nodeOf({ path, acl }, where).acl ?? [], aversion: Number(aversion) },
      ...(czxid !== undefined && { czxid: String(czxid) }),
      ...(after !== undefined && { after: String(after) }),
    };
  return value as unknown as Step;
}

class Draft implements TrashDraft {
  readonly #file: string | undefined;
  readonly #header: Header;
  readonly #mostBytes: number;
  readonly #prune: () => void;
  readonly #counts: Record<Step['did'], number> = { created: 0, set: 0, acl: 0, deleted: 0, unkept: 0 };
  /** Kinds of the steps, for those that turn out not to have happened. */
  readonly #kinds: Step['did'][] = [];
  /** By the numbers of their steps. */
  readonly #unkept = new Map<number, { readonly why: string; readonly mark: string | undefined }>();
  /** Data that this command wrote: what is not kept may stand there. */
  readonly #written = new Set<string>();
  #fd: number | undefined;
  #bytes = 0;
  #fault: string | undefined;
  #hasEnded = false;

  constructor(file: string | undefined, header: Header, mostBytes: number, prune: () => void) {
    this.#mostBytes = mostBytes;
    this.#file = file;
    this.#header = header;
    this.#prune = prune;
  }
  get isOpen(): boolean {
    return this.#file !== undefined && this.#fault === undefined && !this.#hasEnded;
  }

  get keeps(): boolean {
    return this.isOpen && Object.entries(this.#counts).some(([did, count]) => did !== 'unkept' && count > 0);
  }

  add(step: Step): number {
    if (!this.isOpen) return -1;
    this.#counts[step.did]++;
    this.#kinds.push(step.did);
    if (step.did === 'unkept')
      this.#unkept.set(this.#kinds.length - 1, {
        why: step.why,
        mark: step.lost?.after === undefined ? step.lost?.mark : undefined,
      });
    else if (step.did !== 'deleted' && step.did !== 'acl' && step.after !== undefined) this.#written.add(step.after);
    this.#write(lineOfStep(step));
    return this.#kinds.length - 1;
  }
  void(first: number, count: number): void {
    if (!this.isOpen || first < 0 || count === 0) return;
    for (const [at, kind] of this.#kinds.slice(first, first + count).entries()) {
      this.#counts[kind]--;
      this.#unkept.delete(first + at);
    }
    this.#write(JSON.stringify({ did: 'void', first, count }));
  }
  drop(): void {
    this.#giveUp('');
  }
  end(): readonly string[] {
    // what was tried and refused is nothing to take back
    if (Object.values(this.#counts).every((count) => count === 0)) this.drop();
    if (this.#fd !== undefined) {
      this.#write(JSON.stringify({ did: 'end', counts: this.#counts }));
      if (this.#fd !== undefined) closeSync(this.#fd);
      this.#fd = undefined;
      this.#prune();
    }
    this.#hasEnded = true;
    if (this.#fault !== undefined) return this.#fault === '' ? [] : [this.#fault];
    const whys = new Map<string, number>();
    // what only moved an undo brings back from where it is
    for (const { why, mark } of this.#unkept.values())
      if (mark === undefined || !this.#written.has(mark)) whys.set(why, (whys.get(why) ?? 0) + 1);
    return [...whys].map(([why, count]) => `${count === 1 ? 'one node' : `${count} nodes`} not kept for undo: ${why}`);
  }

  #write(line: string): void {
    try {
      if (this.#fd === undefined) {
        const file = this.#file as string;
        makeFolders(join(file, '..'), { mkdirSync, statSync }, 0o700);
        this.#fd = openSync(file, 'wx', 0o600);
        writeSync(this.#fd, `${JSON.stringify(this.#header)}\n`);
      }
      this.#bytes += writeSync(this.#fd, `${line}\n`);
    } catch (error) {
      this.#giveUp(`undo keeps nothing of this: ${(error as Error).message}`);
    }
    if (this.#bytes > this.#mostBytes)
      this.#giveUp(`more than ${showBytes(this.#mostBytes)}: undo keeps nothing of this`);
  }
  #giveUp(fault: string): void {
    this.#fault = fault;
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    rmSync(this.#file as string, { force: true });
  }
}
