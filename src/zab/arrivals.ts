import type { State } from './state.ts';
import type { Message } from './types.ts';

/** A learner says one thing before it is answered. */
const MOST_MESSAGES = 2;

/**
 * Learners that come before this member's own election is decided: those that knew its outcome first. They wait for it;
 * to be turned away would cost them the time until they call again.
 */
export class Arrivals {
  private readonly state: State;
  private readonly waiting = new Map<number, { readonly sid: number; readonly messages: Message[] }>();

  constructor(state: State) {
    this.state = state;
  }
  linked(link: number, sid: number): void {
    for (const [other, { sid: known }] of this.waiting) if (known === sid) this.turnAway(other);
    this.waiting.set(link, { sid, messages: [] });
  }
  closed(link: number): void {
    this.waiting.delete(link);
  }
  /** True when it came on the link of one that waits. */
  received(link: number, message: Message): boolean {
    const arrival = this.waiting.get(link);
    if (arrival === undefined) return false;
    if (arrival.messages.push(message) > MOST_MESSAGES) this.turnAway(link);
    return true;
  }
  private turnAway(link: number): void {
    this.waiting.delete(link);
    this.state.hangUp(link, 'not leading');
  }
  turnAllAway(): void {
    for (const link of [...this.waiting.keys()]) this.turnAway(link);
  }
  /** This member leads: they are told to it in the order in which they came. */
  hand(to: { linked(link: number, sid: number): void; received(link: number, message: Message): void }): void {
    const all = [...this.waiting];
    this.waiting.clear();
    for (const [link, { sid, messages }] of all) {
      to.linked(link, sid);
      for (const message of messages) to.received(link, message);
    }
  }
}
