/** Stands between the runner and a server, and lies once. */
import { FrameCutter } from '../../../src/protocol/frame.ts';
import { frame } from '../../e2e/raw.ts';
import { Liar, type Lie } from './lies.ts';
import type { Door } from './talk.ts';

export const lyingDoor = (door: Door, lie: Lie, told: { done: boolean }): Door => ({
  async dial(hear, ended) {
    const liar = new Liar(lie, told);
    const [down, up] = [new FrameCutter(1 << 26), new FrameCutter(1 << 26)];
    const pipe = await door.dial((bytes) => {
      const out: Buffer[] = [];
      down.push(Buffer.from(bytes), (from, start, end) => {
        for (const each of liar.answer(Buffer.from(from.subarray(start, end)))) out.push(frame(each));
        return true;
      });
      if (out.length > 0) hear(Buffer.concat(out));
    }, ended);
    return {
      destroy: () => pipe.destroy(),
      write: (bytes) => {
        const out: Buffer[] = [];
        up.push(Buffer.from(bytes), (from, start, end) => {
          out.push(frame(liar.request(Buffer.from(from.subarray(start, end)))));
          return true;
        });
        if (out.length > 0) pipe.write(Buffer.concat(out));
      },
    };
  },
});
