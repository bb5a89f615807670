import { givenAcls, logins, oddOperations, PERMS, permissions } from './matrix.ts';
import { catchUp, direct } from './watching.ts';
import type { Wire } from './wire.ts';

/** Everything that is compared, section by section, a line each. */
export async function table(wire: Wire): Promise<string[]> {
  const lines: string[] = [];
  for (const [title, found] of [
    [`# permissions: outcomes for the bits ${PERMS.join(' ')}`, await permissions(wire)],
    ['# ACLs that are given', await givenAcls(wire)],
    ['# logins', await logins(wire)],
    ['# odd operations', await oddOperations(wire)],
    ['# watches', await direct(wire)],
    ['# watches that are set again', await catchUp(wire)],
  ] as const)
    lines.push(title, ...found);
  return lines;
}
