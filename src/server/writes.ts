import { KEEPER_CODES } from '../base/errors.ts';
import type { Reader } from '../protocol/bytes.ts';
import { OPERATIONS } from '../protocol/operations.ts';
import { KIND, type Txn } from '../records/txns.ts';
import { decideMulti } from './multi.ts';
import type { PendingChanges } from './pending.ts';
import type { Decider, Requester } from './prepare.ts';

const { BadArguments } = KEEPER_CODES;

/** True for an operation that becomes a transaction. */
export function isWrite(type: number): boolean {
  switch (type) {
    case 1:
    case 2:
    case 5:
    case 7:
    case 14:
    case 15:
    case 16:
    case 19:
    case 20:
    case 21:
    case -11:
      return true;
    default:
      return false;
  }
}

/** What a write other than closeSession comes to, decided as proposal `by`. @throws ProtocolError when it cannot be decoded */
export function decideWrite(
  decider: Decider,
  pending: PendingChanges,
  who: Requester,
  by: number,
  type: number,
  from: Reader,
): Txn {
  const refusal = (code: number): Txn => ({ kind: KIND.error, code });
  let made: Txn | number;
  switch (type) {
    case OPERATIONS.create.code:
    case OPERATIONS.create2.code:
    case OPERATIONS.createContainer.code: {
      const { path, data, acl, flags } = OPERATIONS.create.request.read(from);
      made = decider.create(who, by, type, path, data, acl, flags, -1n);
      break;
    }
    case OPERATIONS.createTtl.code: {
      const { path, data, acl, flags, ttl } = OPERATIONS.createTtl.request.read(from);
      made = decider.create(who, by, type, path, data, acl, flags, ttl);
      break;
    }
    case OPERATIONS.delete.code: {
      const { path, version } = OPERATIONS.delete.request.read(from);
      made = decider.delete(who, by, path, version);
      break;
    }
    case OPERATIONS.setData.code: {
      const { path, data, version } = OPERATIONS.setData.request.read(from);
      made = decider.setData(who, by, path, data, version);
      break;
    }
    case OPERATIONS.setAcl.code: {
      const { path, acl, version } = OPERATIONS.setAcl.request.read(from);
      made = decider.setAcl(who, by, path, acl, version);
      break;
    }
    case OPERATIONS.multi.code:
      return decideMulti(decider, pending, who, by, OPERATIONS.multi.request.read(from));
    default: // deleteContainer, reserved to the reaper
      return refusal(BadArguments);
  }
  return typeof made === 'number' ? refusal(made) : made;
}
