import { fileWords } from '../base/file-words.ts';
import { ConfigFileError, changeConfig, markOfFile, readConfig, type UserConfig } from '../config/config-file.ts';
import { isProfile, type Profile } from '../config/profiles.ts';
import type { ProfileStore, SettingsStore } from './command.ts';
import { Failure, usage } from './failure.ts';
import { nearest } from './suggest.ts';
import { choice, parseTimed } from './units.ts';

interface Setting {
  readonly about: string;
  readonly otherwise: string;
  readonly values?: readonly string[];
  readonly pattern?: RegExp;
  /** What the pattern asks for. */
  readonly kind?: string;
}
const ON_OFF = ['on', 'off'] as const;
/** Every setting there is. */
export const SETTINGS: Readonly<Record<string, Setting>> = {
  output: {
    about: 'how results look',
    otherwise: 'human',
    values: ['human', 'plain', 'json', 'ndjson', 'table', 'zkcli'],
  },
  pager: { about: 'long results go through a pager', otherwise: 'auto', values: ['auto', 'never'] },
  hints: { about: 'grey suggestions while typing', otherwise: 'on', values: ON_OFF },
  highlight: { about: 'colours while typing', otherwise: 'on', values: ON_OFF },
  plain: { about: 'no menus, redraws or boxes, for screen readers', otherwise: 'off', values: ON_OFF },
  history: {
    about: 'how many lines are remembered',
    otherwise: '10000',
    pattern: /^\d{1,7}$/,
    kind: 'a number from 0 to 9999999',
  },
  concurrency: {
    about: 'requests in flight of one command',
    otherwise: '32',
    pattern: /^[1-9]\d{0,3}$/,
    kind: 'a number from 1 to 9999',
  },
  'op-timeout': {
    about: 'how long one request may take',
    otherwise: '30s',
    pattern: /^\d+(?:\.\d+)?(?:ms|s|m|h|d)?$/,
    kind: 'a duration',
  },
  undo: { about: 'keep what changes at the prompt replace', otherwise: 'on', values: ON_OFF },
  'undo-protected': { about: 'keep also what not everybody may read', otherwise: 'off', values: ON_OFF },
  prompt: { about: 'template of the prompt', otherwise: '{profile}{protect}:{cwd}{state}{txn}> ' },
};

/** What a template of the prompt may hold in braces. */
export const PROMPT_FIELDS = [
  ...(['profile', 'protect', 'cwd', 'state', 'txn', 'n', 'role', 'host', 'target', 'zkstate', 'session'] as const),
  ...(['zxid', 'time', 'rtt', 'watches'] as const),
] as const;

/** The user's configuration file; `file` undefined (`--no-config`): nothing can be saved. Other shells may change it, too. */
export class UserFile {
  readonly #file: string | undefined;
  #config: UserConfig;
  /** Of the state that was read; none at first, since another one may have come since. */
  #mark = '';
  /** `config`: what it held just now. */
  constructor(config: UserConfig, file: string | undefined) {
    this.#config = config;
    this.#file = file;
  }
  /** As it is now; while somebody writes nonsense into it, as it was. */
  get config(): Readonly<UserConfig> {
    if (this.#file === undefined) return this.#config;
    const mark = markOfFile(this.#file);
    if (mark === this.#mark) return this.#config;
    try {
      this.#config = readConfig(this.#file);
      this.#mark = mark;
    } catch (error) {
      if (!(error instanceof ConfigFileError)) throw error;
    }
    return this.#config;
  }
  /** Changes what is in the file now, and nothing when that cannot be written. @throws Failure (2) */
  change(change: (now: UserConfig) => UserConfig): void {
    if (this.#file === undefined) throw usage('there is no configuration file to write to', 'leave out --no-config');
    try {
      ({ config: this.#config, mark: this.#mark } = changeConfig(this.#file, change));
    } catch (error) {
      if (error instanceof Failure) throw error;
      if (error instanceof ConfigFileError) throw usage(error.message, 'mend the file first');
      throw new Failure(2, 'NotSaved', `${this.#file} cannot be written: ${fileWords(error)}`);
    }
  }
}

/** What the user prefers: from the file, then as set in this shell. */
export class Settings implements SettingsStore {
  readonly #file: UserFile;
  readonly #values = new Map<string, string>();
  /** Called with the name after a value changed. */
  onChange: (name: string) => void = () => {};

  /** Names in the file that are no settings: another version's, or misspelt. */
  readonly strange: readonly string[];

  /** @throws Failure (2) when the file holds a value that does not fit. Names it does not know are left alone. */
  constructor(file: UserFile) {
    this.#file = file;
    const said = file.config.settings ?? {};
    this.strange = Object.keys(said).filter((name) => !Object.hasOwn(SETTINGS, name));
    for (const [name, value] of Object.entries(said)) {
      const text = typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
      if (Object.hasOwn(SETTINGS, name)) this.#values.set(name, checked(name, text));
    }
  }
  all() {
    return Object.entries(SETTINGS).map(([name, { about }]) => ({ name, about, value: this.get(name) }));
  }
  get(name: string): string {
    return this.#values.get(name) ?? settingOf(name).otherwise;
  }
  set(name: string, value: string): void {
    this.#values.set(name, checked(name, value));
    this.onChange(name);
  }
  save(name: string): void {
    const value = this.get(name);
    this.#file.change((now) => ({ ...now, settings: { ...now.settings, [name]: value } }));
  }
}

function settingOf(name: string): Setting {
  const setting = SETTINGS[name];
  if (setting !== undefined) return setting;
  const close = nearest(name, Object.keys(SETTINGS))[0];
  const hint = close === undefined ? `there are ${Object.keys(SETTINGS).join(', ')}` : `did you mean ${close} ?`;
  throw usage(`no setting ${name}`, hint);
}

function checked(name: string, value: string): string {
  const { values, pattern, kind } = settingOf(name);
  if (values !== undefined && !values.includes(value)) throw usage(`${name} is ${choice(values)}, not ${value}`);
  if (pattern !== undefined && !pattern.test(value)) throw usage(`${name} is ${kind}, not ${value}`);
  if (name === 'op-timeout' && parseTimed(value, name) === 0) throw usage(`${name} is more than 0`);
  if (name === 'prompt') checkPrompt(value);
  return value;
}

function checkPrompt(template: string): void {
  const fields = PROMPT_FIELDS.map((field) => `{${field}}`);
  if (template.trim() === '') throw usage('prompt: a template is not empty', `there are ${fields.join(' ')}`);
  const unknown = template.match(/\{\w+\}/g)?.find((field) => !(fields as readonly string[]).includes(field));
  if (unknown !== undefined) throw usage(`prompt: there is no field ${unknown}`, `there are ${fields.join(' ')}`);
}

/** Why a profile cannot be called so; undefined: it can. */
export const nameFault = (name: string): string | undefined =>
  /^[\w.-]+$/.test(name) ? undefined : `a profile's name has letters, digits and . _ - only, not ${name}`;

/** Targets with names. */
export class Profiles implements ProfileStore {
  readonly #file: UserFile;
  constructor(file: UserFile) {
    this.#file = file;
  }
  get default(): string | undefined {
    return this.#file.config.default;
  }
  list() {
    const { profiles = {}, default: preset } = this.#file.config;
    return Object.entries(profiles).map(([name, profile]) => ({ name, profile, isDefault: name === preset }));
  }
  get(name: string): Profile {
    const { profiles = {} } = this.#file.config;
    const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
    if (profile !== undefined) return profile;
    const close = nearest(name, Object.keys(profiles))[0];
    throw usage(
      `no profile ${name}`,
      // with a colon it is no name, but servers
      name.includes(':')
        ? `connect ${name} goes to servers without a profile`
        : close === undefined
          ? `profile add ${name} HOST:PORT makes one`
          : `did you mean @${close} ?`,
    );
  }
  has(name: string): boolean {
    return Object.hasOwn(this.#file.config.profiles ?? {}, name);
  }
  add(name: string, profile: Profile): void {
    const fault = nameFault(name) ?? isProfile(profile);
    if (fault !== undefined) throw usage(fault);
    this.#file.change((now) => ({ ...now, profiles: { ...now.profiles, [name]: profile } }));
  }
  remove(name: string): void {
    this.get(name);
    this.#file.change(({ default: preset, ...now }) => {
      const { [name]: _gone, ...profiles } = now.profiles ?? {};
      return { ...(preset !== undefined && preset !== name && { default: preset }), ...now, profiles };
    });
  }
  setDefault(name: string): void {
    this.get(name);
    this.#file.change((now) => ({ ...now, default: name }));
  }
}
