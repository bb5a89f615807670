import type { Sequential } from './linear.ts';

/** One node as clients use it as a register. `version` -1: whatever it is. */
export type RegisterCall =
  | { readonly op: 'create'; readonly value: string }
  | { readonly op: 'delete'; readonly version: number }
  | { readonly op: 'set'; readonly value: string; readonly version: number }
  /** A read behind a sync. */
  | { readonly op: 'read' };
/** What came back: a value and its version, a refusal, or that there is nothing. */
export type RegisterResult =
  | { readonly is: 'done'; readonly version?: number }
  | { readonly is: 'value'; readonly value: string; readonly version: number }
  | { readonly is: 'absent' }
  | { readonly is: 'exists' }
  | { readonly is: 'badVersion' }
  /** By a server that only shows what it has: nothing was done, or looked at. */
  | { readonly is: 'refused' };
export type Register = { readonly value: string; readonly version: number } | null;

/** What a node is to those who only create, delete, set and read it. */
export const register: Sequential<Register, RegisterCall, RegisterResult> = {
  first: null,
  key: (state) => (state === null ? '' : `${state.version} ${state.value}`),
  apply(state, input, output) {
    if (output?.is === 'refused') return state;
    const { after, result } = step(state, input);
    if (output === undefined) return after;
    if (output.is !== result.is) return undefined;
    if (output.is === 'value' && result.is === 'value')
      return output.value === result.value && output.version === result.version ? after : undefined;
    if (output.is === 'done' && result.is === 'done' && output.version !== undefined)
      return output.version === result.version ? after : undefined;
    return after;
  },
};

function step(state: Register, input: RegisterCall): { after: Register; result: RegisterResult } {
  switch (input.op) {
    case 'create':
      return state === null
        ? { after: { value: input.value, version: 0 }, result: { is: 'done', version: 0 } }
        : { after: state, result: { is: 'exists' } };
    case 'read':
      return { after: state, result: state === null ? { is: 'absent' } : { is: 'value', ...state } };
    case 'delete':
      if (state === null) return { after: state, result: { is: 'absent' } };
      if (input.version !== -1 && input.version !== state.version)
        return { after: state, result: { is: 'badVersion' } };
      return { after: null, result: { is: 'done' } };
    case 'set': {
      if (state === null) return { after: state, result: { is: 'absent' } };
      if (input.version !== -1 && input.version !== state.version)
        return { after: state, result: { is: 'badVersion' } };
      const version = state.version + 1;
      return { after: { value: input.value, version }, result: { is: 'done', version } };
    }
  }
}
