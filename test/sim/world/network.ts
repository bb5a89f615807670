import type { Random } from '../../../src/base/random.ts';
import type { ConnectionHandler } from '../../../src/ports/network.ts';
import type { Host } from './host.ts';
import type { Channel, Links } from './links.ts';
import { EVENT_KIND, type Scheduler } from './scheduler.ts';
import { type End, Stream, type StreamWorld } from './stream.ts';

/** A process that takes connections at a port. */
interface Port {
  readonly host: Host;
  readonly life: number;
  readonly channel: Channel;
  accept(end: End): void;
}
const errno = (code: string): Error => Object.assign(new Error(code), { code });

/** All machines by name, the ports they listen on, and the streams between them. */
export class Network implements StreamWorld {
  readonly scheduler: Scheduler;
  readonly links: Links;
  readonly random: Random;
  cutOneIn = 0;
  fragments = 0;
  /** Counts the connections of clients. */
  conversations = 0;
  readonly streams = new Set<Stream>();
  private readonly hosts = new Map<string, Host>();
  private readonly ports = new Map<string, Port>();
  /** Told of every stream that comes to be. */
  onStream: (stream: Stream) => void = () => {};

  constructor(scheduler: Scheduler, links: Links, random: Random) {
    this.scheduler = scheduler;
    this.links = links;
    this.random = random;
    links.onHeal = () => {
      for (const stream of this.streams) for (const end of stream.ends) end.pump();
    };
  }
  add(host: Host): void {
    this.hosts.set(host.name, host);
    host.onEnd.add((power) => {
      for (const stream of [...this.streams]) for (const end of stream.ends) if (end.host === host) end.vanish(power);
    });
  }
  has(name: string): boolean {
    return this.hosts.has(name);
  }
  /** @throws EADDRINUSE */
  listen(host: Host, port: number, channel: Channel, accept: (end: End) => void): () => void {
    const at = `${host.name}:${port}`;
    const there = this.ports.get(at);
    if (there !== undefined && there.host.life === there.life) throw errno('EADDRINUSE');
    const own: Port = { host, life: host.life, channel, accept };
    this.ports.set(at, own);
    return () => {
      if (this.ports.get(at) === own) this.ports.delete(at);
    };
  }
  private portAt(name: string, port: number): Port | undefined {
    const found = this.ports.get(`${name}:${port}`);
    return found?.host.alive && found.host.life === found.life ? found : undefined;
  }
  /**
   * Connects; the far end is told before this one. Rejects with an errno: refused when nobody listens, timed out when nobody
   * answers.
   */
  dial(
    from: Host,
    name: string,
    port: number,
    timeoutMs: number,
    handler: ConnectionHandler,
    signal: AbortSignal | undefined,
  ): Promise<End> {
    return new Promise((resolve, reject) => {
      const { links } = this;
      let done = false;
      const finish = (run: () => void): void => {
        if (done) return;
        done = true;
        signal?.removeEventListener('abort', aborted);
        run();
      };
      const aborted = (): void => finish(() => reject(signal?.reason as Error));
      if (signal?.aborted === true) return aborted();
      signal?.addEventListener('abort', aborted, { once: true });
      const late = from.post(timeoutMs, EVENT_KIND.timer, () => finish(() => reject(errno('ETIMEDOUT'))));
      const channel = this.portAt(name, port)?.channel ?? 'client';
      const both = (): boolean =>
        links.isBlocked(from.name, name, channel) || links.isBlocked(name, from.name, channel);
      from.post(links.delay(from.name, name) + links.delay(name, from.name), EVENT_KIND.io, () => {
        const host = this.hosts.get(name);
        if (done || host === undefined || both()) return; // nothing answers
        const found = this.portAt(name, port);
        late.run = undefined;
        if (found === undefined) {
          // a machine that is off says nothing, one that is on refuses; which of the two a dead process's is, chance says
          if (!host.alive && this.random.below(2) === 0) {
            from.post(timeoutMs, EVENT_KIND.timer, () => finish(() => reject(errno('ETIMEDOUT'))));
            return;
          }
          return finish(() => reject(errno('ECONNREFUSED')));
        }
        const stream = new Stream(this, found.channel, from, found.host);
        this.streams.add(stream);
        stream.onGone = () => void this.streams.delete(stream);
        const [near, far] = stream.ends;
        this.onStream(stream);
        found.host.post(0, EVENT_KIND.io, () => found.accept(far));
        near.attach(handler);
        finish(() => resolve(near));
      });
    });
  }
}
