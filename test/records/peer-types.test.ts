import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry as WireEntry, Note as WireNote } from '../../src/records/peer-entries.ts';
import type { MessageOf, PeerMessage } from '../../src/records/peer-messages.ts';
import type { Entry, Message, Note } from '../../src/zab/types.ts';

/** These compile only while agreement and the wire mean the same messages, by name and by field. */
const toWire = (message: Message): PeerMessage => message;
const fromWire = (message: MessageOf<Message['type']>): Message => message;
const entryToWire = (entry: Entry): WireEntry => entry;
const entryFromWire = (entry: WireEntry): Entry => entry;
const noteToWire = (note: Note): WireNote => note;
const noteFromWire = (note: WireNote): Note => note;

test('what agreement says is what the wire carries', () => {
  const ping: Message = { type: 'PING', epoch: 1, round: 2 };
  assert.deepEqual(fromWire(toWire(ping) as MessageOf<'PING'>), ping);
  const entry: Entry = { epoch: 1, counter: 2, chainHi: 3, chainLo: 4, bytes: Buffer.from('x'), note: undefined };
  assert.equal(entryFromWire(entryToWire(entry)), entry);
  const note: Note = { type: 'seen', sid: 1, incarnation: 'a', tag: 'b' };
  assert.equal(noteFromWire(noteToWire(note)), note);
});
