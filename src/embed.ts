/** A server inside a program: `zoosh/server`. */
export { type EmbeddedServer, type EmbedOptions, startEmbedded } from './runtime/embed.ts';
export { StartError } from './runtime/start-error.ts';
export { ConfigError } from './server/config.ts';
export { StorageRefusal } from './storage/errors.ts';
