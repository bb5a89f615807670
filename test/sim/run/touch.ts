import type { Links } from '../world/links.ts';
import type { Member } from './member.ts';

/** From when to when a server could hear the leader and be heard by it. */
interface Spell {
  readonly from: number;
  until: number;
}

/** Who was in touch with the leader, and when: what the checker of sessions goes by. */
export class Touch {
  private readonly spells = new Map<number, Spell[]>();
  private readonly open = new Map<number, { spell: Spell; leader: number; life: number; leaderLife: number }>();
  private readonly members: readonly Member[];
  private readonly links: Links;
  private readonly now: () => number;
  private readonly leader: () => number | undefined;

  constructor(members: readonly Member[], links: Links, now: () => number, leader: () => number | undefined) {
    this.members = members;
    this.links = links;
    this.now = now;
    this.leader = leader;
  }
  look(): void {
    const leader = this.leader();
    const now = this.now();
    const leads = this.members.find(({ sid }) => sid === leader);
    for (const member of this.members) {
      const { sid, host, program } = member;
      const holds =
        leads !== undefined &&
        host.alive &&
        !host.paused &&
        program?.serves === true &&
        // one that led before, and has not noticed, hears nothing for the present leader
        (sid === leader ||
          (program.leads === undefined &&
            program.epoch === leads.program?.leads &&
            !this.links.isTroubled(host.name, leads.host.name, now)));
      const open = this.open.get(sid);
      if (open !== undefined) {
        const same = holds && open.leader === leader && open.life === host.life && open.leaderLife === leads.host.life;
        open.spell.until = now;
        if (same) continue;
        this.open.delete(sid);
      }
      if (!holds) continue;
      const spell = { from: now, until: now };
      const list = this.spells.get(sid) ?? [];
      list.push(spell);
      if (list.length > 200) list.splice(0, 100);
      this.spells.set(sid, list);
      this.open.set(sid, { spell, leader: leads.sid, life: host.life, leaderLife: leads.host.life });
    }
  }
  /** It was in touch with one leader all that time. */
  held(sid: number, from: number, until: number): boolean {
    return (this.spells.get(sid) ?? []).some((spell) => spell.from <= from && spell.until >= until);
  }
}
