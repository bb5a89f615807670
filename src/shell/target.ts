import type { ConnectOptions } from '../client/api.ts';
import type { Failure } from './failure.ts';

/** Where to connect and as whom. */
export interface Target {
  /** Connect string. */
  readonly server: string;
  /** Why there is none; said by the first command that needs a session. */
  readonly fault?: Failure | undefined;
  /** Name of the profile it comes from. */
  readonly profile?: string | undefined;
  /** What undo knows its changes by; absent: the profile, else the connect string. */
  readonly label?: string | undefined;
  readonly color?: string | undefined;
  readonly protect?: boolean | undefined;
  readonly readOnly?: boolean | undefined;
  readonly options: Pick<
    ConnectOptions,
    'auth' | 'tls' | 'timeoutMs' | 'connectTimeoutMs' | 'allowReadOnly' | 'maxReplyBytes'
  >;
}
