import { type UserConfig, writeConfig } from '../config/config-file.ts';
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
  history: { about: 'how many lines are remembered', otherwise: '10000', pattern: /^\d{1,7}$/ },
  concurrency: { about: 'requests in flight of one command', otherwise: '32', pattern: /^[1-9]\d{0,3}$/ },
  'op-timeout': { about: 'how long one request may take', otherwise: '30s', pattern: /^\d+(?:\.\d+)?(?:ms|s|m|h|d)?$/ },
  undo: { about: 'keep what changes at the prompt replace', otherwise: 'on', values: ON_OFF },
  'undo-protected': { about: 'keep also what not everybody may read', otherwise: 'off', values: ON_OFF },
  prompt: { about: 'template of the prompt', otherwise: '{profile}{protect}:{cwd}{state}{txn}> ' },
};

/** The user's configuration file, as read; `file` undefined (`--no-config`): nothing can be saved. */
export class UserFile {
  readonly config: UserConfig;
  readonly #file: string | undefined;
  constructor(config: UserConfig, file: string | undefined) {
    this.config = config;
    this.#file = file;
  }
  /** @throws Failure (2) */
  write(): void {
    if (this.#file === undefined) throw usage('there is no configuration file to write to', 'leave out --no-config');
    try {
      writeConfig(this.#file, this.config);
    } catch (error) {
      throw new Failure(2, 'NotSaved', `${this.#file} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
    }
  }
}

/** What the user prefers: from the file, then as set in this shell. */
export class Settings implements SettingsStore {
  readonly #file: UserFile;
  readonly #values = new Map<string, string>();
  /** Called with the name after a value changed. */
  onChange: (name: string) => void = () => {};

  /** @throws Failure (2) when the file holds a value that does not fit. Names it does not know are left alone. */
  constructor(file: UserFile) {
    this.#file = file;
    for (const [name, value] of Object.entries(file.config.settings ?? {})) {
      const text = typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
      if (SETTINGS[name] !== undefined) this.#values.set(name, checked(name, text));
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
    const before = this.#file.config.settings;
    this.#file.config.settings = { ...before, [name]: this.get(name) };
    this.#file.write();
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
  const { values, pattern } = settingOf(name);
  if (values !== undefined && !values.includes(value)) throw usage(`${name} is ${choice(values)}, not ${value}`);
  if (pattern !== undefined && !pattern.test(value))
    throw usage(`${name} is a ${name === 'op-timeout' ? 'duration' : 'number'}, not ${value}`);
  if (name === 'op-timeout' && parseTimed(value, name) === 0) throw usage(`${name} is more than 0`);
  return value;
}

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
      close === undefined ? `profile add ${name} HOST:PORT makes one` : `did you mean @${close} ?`,
    );
  }
  has(name: string): boolean {
    return Object.hasOwn(this.#file.config.profiles ?? {}, name);
  }
  add(name: string, profile: Profile): void {
    if (!/^[\w.-]+$/.test(name)) throw usage(`a profile's name has letters, digits and . _ - only, not ${name}`);
    const fault = isProfile(profile);
    if (fault !== undefined) throw usage(fault);
    this.#change({ profiles: { ...this.#file.config.profiles, [name]: profile } });
  }
  remove(name: string): void {
    this.get(name);
    const { [name]: _gone, ...profiles } = this.#file.config.profiles ?? {};
    this.#change({ profiles });
    if (this.#file.config.default === name) {
      delete this.#file.config.default;
      this.#file.write();
    }
  }
  setDefault(name: string): void {
    this.get(name);
    this.#change({ default: name });
  }
  /** Keeps what is in force as it was when the file cannot be written. */
  #change(change: Partial<UserConfig>): void {
    const before = { ...this.#file.config };
    Object.assign(this.#file.config, change);
    try {
      this.#file.write();
    } catch (error) {
      Object.assign(this.#file.config, before);
      throw error;
    }
  }
}
