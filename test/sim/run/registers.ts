import { KeeperError } from '../../../src/base/errors.ts';
import type { Random } from '../../../src/base/random.ts';
import { type Client, MultiError } from '../../../src/client/api.ts';
import { isLinearizable, type Operation } from '../check/linear.ts';
import { type RegisterCall, type RegisterResult, register } from '../check/register.ts';
import { oneIn } from '../world/chance.ts';

/** Registers live this many operations, so that the search for an order stays small. */
const OPERATIONS_PER_REGISTER = 150;
/** Nor do they after so many of which nobody knows whether they were done. */
const UNKNOWN_PER_REGISTER = 6;
const REGISTERS = 3;
/** Clients that share a register. */
export const SHARED_BY = 4;

/** A refusal that the library tells of. */
export const isKnown = (error: unknown): error is KeeperError | MultiError =>
  error instanceof KeeperError || error instanceof MultiError;

/** Nodes that several clients use as registers, and what each of them saw: the history for the black-box checker. */
export class Registers {
  private readonly histories = new Map<string, Operation<RegisterCall, RegisterResult>[]>();
  private readonly filled = new Map<number, number>();
  private order = 0;
  private serial = 0;

  /** What no order of the operations explains, in words. */
  faults(): string[] {
    const faults: string[] = [];
    for (const [path, history] of this.histories) {
      // a read that nobody answered says nothing
      const told = history.filter(({ input, output }) => input.op !== 'read' || output !== undefined);
      const verdict = isLinearizable(told, register);
      if (verdict !== 'linearizable') faults.push(`${path}: ${history.length} operations are ${verdict}`);
    }
    return faults;
  }
  private registerPath(number: number): { path: string; history: Operation<RegisterCall, RegisterResult>[] } {
    let turn = this.filled.get(number) ?? 0;
    for (;;) {
      const path = `/r/${number}-${turn}`;
      const history = this.histories.get(path) ?? [];
      const unknown = history.filter(({ output, input }) => output === undefined && input.op !== 'read').length;
      if (history.length < OPERATIONS_PER_REGISTER && unknown < UNKNOWN_PER_REGISTER) {
        this.histories.set(path, history);
        return { path, history };
      }
      this.filled.set(number, ++turn);
    }
  }
  async use(client: Client, number: number, random: Random): Promise<void> {
    const { path, history } = this.registerPath(random.below(REGISTERS));
    const input = this.drawCall(random, history);
    const call = ++this.order;
    const place = history.length;
    history.push({ client: number, call, return: Number.POSITIVE_INFINITY, input, output: undefined });
    const finish = (output: RegisterResult): void => {
      history[place] = { client: number, call, return: ++this.order, input, output };
    };
    try {
      finish(await this.perform(client, path, input));
    } catch (error) {
      if (!isKnown(error)) throw error;
      // by rule it was never done
      if (error.code === 'NotReadOnly') finish({ is: 'refused' });
      else if (error.code === 'NoNode') finish({ is: 'absent' });
      else if (error.code === 'NodeExists') finish({ is: 'exists' });
      else if (error.code === 'BadVersion') finish({ is: 'badVersion' });
      throw error;
    }
  }
  private drawCall(random: Random, history: readonly Operation<RegisterCall, RegisterResult>[]): RegisterCall {
    const value = `v${++this.serial}`;
    const last = history.at(-1)?.output;
    const version = oneIn(random, 3) && last !== undefined && 'version' in last ? (last.version ?? -1) : -1;
    const kind = random.below(10);
    if (kind < 3) return { op: 'read' };
    if (kind < 5) return { op: 'create', value };
    if (kind < 6) return { op: 'delete', version };
    return { op: 'set', value, version };
  }
  private async perform(client: Client, path: string, input: RegisterCall): Promise<RegisterResult> {
    switch (input.op) {
      case 'create':
        await client.create(path, input.value);
        return { is: 'done', version: 0 };
      case 'set':
        return { is: 'done', version: (await client.set(path, input.value, input.version)).version };
      case 'delete':
        await client.delete(path, input.version);
        return { is: 'done' };
      case 'read': {
        const synced = client.sync(path);
        const read = client.get(path);
        read.catch(() => {}); // the sync fails first
        await synced;
        const { data, stat } = await read;
        return { is: 'value', value: data?.toString() ?? '', version: stat.version };
      }
    }
  }
}
