import { setMaxListeners } from 'node:events';

/** Many wait by one signal, which is no leak: without this a program is warned of the eleventh. */
export function shared(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}
