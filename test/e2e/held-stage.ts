/** A server of this process, a client, and a folder in which programs leave what they were told. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect } from '../../src/index.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/runtime/embed.ts';
import { lateIf, PATIENCE_MS } from '../patience.ts';
import { until } from '../recipes/world.ts';
import type { Running } from './cli.ts';

export class HeldStage implements AsyncDisposable {
  readonly server: EmbeddedServer;
  readonly client: Client;
  readonly #folder: string;
  private constructor(server: EmbeddedServer, client: Client, folder: string) {
    this.server = server;
    this.client = client;
    this.#folder = folder;
  }
  static async open(settings: Readonly<Record<string, string>>): Promise<HeldStage> {
    const folder = mkdtempSync(join(tmpdir(), 'zoosh-held-'));
    const short = { tickTime: '200', maxSessionTimeout: '60000' };
    const server = await startEmbedded({ settings: { ...short, ...settings }, logLevel: 'error' });
    return new HeldStage(server, await connect(server.connectString, { connectTimeoutMs: PATIENCE_MS }), folder);
  }
  file(name: string): string {
    return join(this.#folder, name);
  }
  /** What is in a file so far; nothing while it is not there. */
  text(name: string): string {
    try {
      return readFileSync(this.file(name), 'utf8');
    } catch {
      return '';
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Waits for what is to come while the holder holds. A sentence when it held no longer: who stands still for most of a
 * session loses what it holds.
 */
export async function whileHeld(
  holder: Running,
  what: string,
  fact: () => boolean | Promise<boolean>,
): Promise<string | undefined> {
  let isOver = false;
  void holder.ended.then(() => {
    isOver = true;
  });
  await until(what, async () => isOver || (await fact()));
  return lateIf(isOver, `over before ${what}: ${holder.stderr()}`);
}
