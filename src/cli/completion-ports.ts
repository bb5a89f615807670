import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Client } from '../client/api.ts';
import { parseConnectString, showServer } from '../client/connect-string.ts';
import { TOPICS } from '../commands/help-topics.ts';
import { registry } from '../commands/index.ts';
import { folders } from '../config/folders.ts';
import { ensembleNames, MEMBER_WORDS, memberIds } from '../ensemble/layout.ts';
import type { CompletionPorts } from '../shell/complete.ts';
import type { PathSource } from '../shell/path-source.ts';
import { type Profiles, SETTINGS, type Settings } from '../shell/settings.ts';

export interface CompletionSources {
  readonly cwd: string;
  readonly paths: PathSource;
  /** Of another ensemble. */
  readonly pathsOf?: (profile: string) => PathSource;
  readonly profiles: Profiles;
  readonly settings: Settings | undefined;
  readonly client: Client | undefined;
  readonly variables: Iterable<string>;
  /** Connect string in use. */
  readonly target: string;
}

/** Completion over this process's files and session. */
export const completionPorts = ({
  cwd,
  paths,
  pathsOf,
  profiles,
  client,
  variables,
  target,
}: CompletionSources): CompletionPorts => ({
  registry,
  cwd,
  paths,
  ...(pathsOf && { pathsOf }),
  settings: () => Object.keys(SETTINGS),
  settingValues: (name) => SETTINGS[name]?.values ?? [],
  profiles: () => profiles.list().map(({ name }) => name),
  hosts: () => [...hostsOf(target), ...ensembleNames(folders().ensembles).map((name) => `local/${name}`)],
  topics: () => [...Object.keys(TOPICS), 'exit-codes'],
  watched: () => [...new Set((client?.watches() ?? []).map(({ path }) => path))].sort(),
  ensembleWords: () => {
    const { ensembles } = folders();
    return [...ensembleNames(ensembles), ...MEMBER_WORDS, ...memberIds(ensembles)];
  },
  variables: () => ['_', '?', 'cwd', 'session', ...variables, ...environment()],
  files,
});

/** Names that can be written between the braces. */
const environment = (): string[] =>
  Object.keys(process.env)
    .filter((name) => /^\w+$/.test(name))
    .sort()
    .map((name) => `env:${name}`);

/** Each server of a connect string. */
function hostsOf(target: string): string[] {
  try {
    return target === '' ? [] : parseConnectString(target).servers.map(showServer);
  } catch {
    return [];
  }
}

/** Files and folders that go on from what was typed. */
function files(prefix: string): { name: string; isFolder: boolean }[] {
  const folder = prefix.endsWith('/') ? prefix : prefix.includes('/') ? dirname(prefix) : '';
  try {
    return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.') || prefix.includes('/.') || prefix.startsWith('.'))
      .map((entry) => ({
        name: prefix.slice(0, prefix.lastIndexOf('/') + 1) + entry.name,
        isFolder: entry.isDirectory(),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}
