/** Runs one program on one server, and tells everything that was said. */
import { Reader } from '../../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../../src/protocol/operations.ts';
import { OPEN } from '../../security/access/matrix.ts';
import { endsIt } from './generate.ts';
import { type Item, Names } from './normal.ts';
import { type Ask, encode, type Place, type Program, SESSIONS, xidOf } from './program.ts';
import { type Door, Talk } from './talk.ts';

/** What a session heard in a step. */
export interface Entry {
  readonly step: number;
  readonly who: number;
  /** What it asked in that step. */
  readonly asks: readonly Ask[];
  readonly items: readonly Item[];
}
/** The step behind the last: the tree; the one behind that: every session says good bye. */
export type Transcript = readonly Entry[];

const NOTHING = Buffer.alloc(16);
/** More than a program uses; what says more is no zxid. */
const MOST_ZXIDS = 100_000n;
const EVERYTHING: Place = { root: '', base: 0n };

/** A session whose last connection may be gone. */
interface Seat {
  talk: Talk | undefined;
  id: bigint;
  password: Uint8Array;
  seen: bigint;
  xid: number;
  born: number;
}

/** The runner's own session, which may do everything; it outlives the programs. */
export class Admin {
  private readonly talk: Talk;
  private xid = 0;
  private constructor(talk: Talk) {
    this.talk = talk;
  }
  static async open(door: Door): Promise<Admin> {
    const admin = new Admin(await Talk.open(door, 0n, NOTHING, 0n));
    const auth = Buffer.from('super:adminpass');
    await admin.ask([{ op: 'auth', request: { type: 0, scheme: 'digest', auth } }]);
    return admin;
  }
  /** Sends and takes frames as they are. */
  async ask(asks: readonly Ask[], place = EVERYTHING): Promise<Buffer[]> {
    const frames = asks.map((ask) => encode(ask, xidOf(ask.op, ++this.xid), place, 0n));
    await this.talk.ask(frames, 0);
    if (this.talk.ended) throw new Error('a server hung up on its administrator');
    return this.talk.take();
  }
  close(): void {
    this.talk.destroy();
  }
}

/** Everything below the root, breadth first, each node as three replies; and the paths. */
async function dump(admin: Admin, names: Names, place: Place): Promise<{ items: Item[]; paths: string[] }> {
  const items: Item[] = [];
  const paths = ['$'];
  for (let at = 0; at < paths.length; at++) {
    const path = paths[at] as string;
    const asks: Ask[] = [
      { op: 'getData', request: { path, watch: false } },
      { op: 'getAcl', request: { path } },
      { op: 'getChildren2', request: { path, watch: false } },
    ];
    const frames = await admin.ask(asks, place);
    frames.forEach((frame, part) => {
      const { fields, op } = names.reply(frame, asks[part], 0);
      items.push({ kind: 'node', op, fields: { ...fields, xid: '', zxid: '', node: path } });
    });
    if (frames.some((frame) => frame.readInt32BE(12) !== 0)) continue; // the root itself may be gone
    const children = OPERATIONS.getChildren2.answer.read(new Reader(frames[2] as Buffer, 16)).children ?? [];
    paths.push(...[...children].sort().map((name) => `${path}/${name}`));
  }
  return { items, paths };
}

class Player {
  private readonly seats: Seat[] = Array.from({ length: SESSIONS }, () => ({
    talk: undefined,
    id: 0n,
    password: NOTHING,
    seen: 0n,
    xid: 0,
    born: 0,
  }));
  readonly entries: Entry[] = [];
  private readonly door: Door;
  readonly names: Names;
  private readonly place: Place;
  constructor(door: Door, names: Names, place: Place) {
    this.door = door;
    this.names = names;
    this.place = place;
  }
  /** Connects when there is no connection; what the server said to that. */
  async seat(who: number): Promise<Item[]> {
    const seat = this.seats[who] as Seat;
    if (seat.talk !== undefined && !seat.talk.ended) return [];
    const items: Item[] = [];
    for (;;) {
      const isNew = seat.id === 0n;
      const talk = await Talk.open(this.door, seat.id, seat.password, seat.seen);
      seat.talk = talk;
      const { welcome } = talk;
      if (welcome === undefined) {
        // nothing to take up again: the next one is new
        items.push({ kind: 'end', op: 'handshake', fields: {} });
        if (isNew) throw new Error('a server wants no new session');
        seat.id = 0n;
        continue;
      }
      if (isNew) this.names.sessions.set(welcome.sessionId, `s${who}.${seat.born++}`);
      items.push({
        kind: 'welcome',
        op: 'connect',
        fields: {
          timeoutMs: `${welcome.timeoutMs}`,
          session: this.names.session(welcome.sessionId),
          password: `${welcome.password?.length} bytes${isNew || welcome.timeoutMs <= 0 || Buffer.from(seat.password).equals(welcome.password ?? NOTHING) ? '' : ', another'}`,
          readOnly: `${welcome.readOnly}`,
          version: `${welcome.protocolVersion}`,
        },
      });
      seat.id = welcome.sessionId;
      seat.password = welcome.password === null ? NOTHING : Buffer.from(welcome.password);
      if (welcome.timeoutMs > 0) return items;
      await talk.end();
    }
  }
  cut(who: number): void {
    this.seats[who]?.talk?.destroy();
  }
  /** Asks, and takes what every session heard meanwhile. */
  async ask(step: number, who: number, asks: readonly Ask[]): Promise<void> {
    const before = await this.seat(who);
    const seat = this.seats[who] as Seat;
    const talk = seat.talk as Talk;
    const xids = asks.map(({ op }) => xidOf(op, ++seat.xid));
    const frames = asks.map((ask, at) => encode(ask, xids[at] as number, this.place, seat.seen));
    await talk.ask(frames, asks.filter(({ op }) => op === 'ping').length);
    if (asks.some(endsIt)) await talk.end();
    await this.gather(step, who, asks, xids, before);
  }
  private async gather(step: number, who: number, asks: readonly Ask[], xids: number[], before: Item[]): Promise<void> {
    await Promise.all(this.seats.map(({ talk }) => talk?.settle()));
    // who asks comes first: what others hear may follow from it
    for (const each of [who, ...this.seats.keys()].filter((one, at) => at === 0 || one !== who)) {
      const seat = this.seats[each] as Seat;
      const { talk } = seat;
      if (talk === undefined) continue;
      const own = each === who;
      const frames = talk.take();
      const items = this.names.heard(frames, own ? asks : [], own ? xids : []);
      for (const frame of frames)
        if (frame.readInt32BE(0) !== -1) {
          const zxid = frame.readBigInt64BE(4);
          if (zxid > seat.seen && zxid < this.place.base + MOST_ZXIDS) seat.seen = zxid;
        }
      if (own) items.unshift(...before);
      if (talk.ended && (items.length > 0 || own)) items.push({ kind: 'end', op: 'connection', fields: {} });
      if (items.length > 0)
        this.entries.push({ step, who: each, asks: own ? asks : [], items: unordered(items, asks) });
    }
  }
  close(): void {
    for (const { talk } of this.seats) talk?.destroy();
  }
}

/** The end of a session removes its ephemerals in no order. */
function unordered(items: Item[], asks: readonly Ask[]): Item[] {
  if (!asks.some(({ op }) => op === 'closeSession')) return items;
  const out: Item[] = [];
  for (let at = 0; at < items.length; ) {
    let end = at;
    while (items[end]?.kind === 'event') end++;
    const key = ({ fields }: Item): string => `${fields.path} ${fields.type}`;
    out.push(...items.slice(at, end).sort((a, b) => (key(a) < key(b) ? -1 : 1)));
    if (end < items.length) out.push(items[end] as Item);
    at = end + 1;
  }
  return out;
}

let runs = 0;
/** Another root, as long as all others, for each run. */
export const nextRoot = (): string => `/d${String(++runs).padStart(6, '0')}`;

export async function play(
  door: Door,
  admin: Admin,
  program: Program,
  root: string,
  now: () => number,
): Promise<Transcript> {
  const [made] = await admin.ask([{ op: 'create2', request: { path: root, data: null, acl: OPEN, flags: 0 } }]);
  const { stat } = OPERATIONS.create2.answer.read(new Reader(made as Buffer, 16));
  const place = { root, base: stat.czxid };
  const player = new Player(door, new Names(place, now), place);
  try {
    let step = 0;
    for (const each of program.steps) {
      if (each.kind === 'cut') player.cut(each.who);
      else await player.ask(step, each.who, each.asks);
      step++;
    }
    const tree = await dump(admin, player.names, place);
    player.entries.push({ step, who: -1, asks: [], items: tree.items });
    for (let who = 0; who < SESSIONS; who++) await player.ask(++step, who, [{ op: 'closeSession', request: {} }]);
    const left = await dump(admin, player.names, place);
    player.entries.push({ step: ++step, who: -1, asks: [], items: left.items });
    const asks = left.paths.reverse().map((path) => ({ op: 'delete', request: { path, version: -1 } }));
    await admin.ask(asks, place);
    await admin.ask([{ op: 'setData', request: { path: '/', data: Buffer.alloc(0), version: -1 } }]);
    return player.entries;
  } finally {
    player.close();
  }
}
