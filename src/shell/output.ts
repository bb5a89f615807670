/** What commands find, before a renderer decides how it looks. */
import type { Acl, Stat } from '../client/api.ts';
import type { Change } from './recorder.ts';

/** How data of a node is shown. */
export type DataForm = 'text' | 'base64' | 'hex' | 'raw';

export interface ListedNode {
  readonly name: string;
  readonly stat: Stat;
}
export interface TreeNode {
  readonly name: string;
  readonly path: string;
  readonly stat?: Stat | undefined;
  readonly children: TreeNode[];
  /** Children that are there and not shown. */
  more: number;
}
export interface Column {
  readonly name: string;
  /** Numbers stand right. */
  readonly right?: boolean;
  /** Left out where the screen is too narrow; the least first. Absent: never. */
  readonly drop?: number;
}

/** Everything a command can answer with. `exit` is the status of an answer that is no. */
export type Output = { readonly exit?: number } & (
  | {
      readonly type: 'created';
      readonly path: string;
      readonly created: boolean;
      readonly stat?: Stat | undefined;
      readonly showStat?: boolean;
    }
  | {
      readonly type: 'written';
      readonly path: string;
      readonly stat: Stat;
      readonly bytes: number;
      readonly showStat?: boolean;
    }
  | {
      readonly type: 'deleted';
      readonly paths: readonly string[];
      readonly count: number /** `paths` are the roots of what is gone. */;
      readonly isTree?: boolean;
    }
  | {
      readonly type: 'node';
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly stat: Stat;
      readonly showStat: boolean;
      readonly form: DataForm;
    }
  | { readonly type: 'many'; readonly parts: readonly Output[] }
  | {
      readonly type: 'listing';
      readonly path: string;
      readonly names: readonly string[];
      readonly stat?: Stat | undefined;
      readonly long?: readonly ListedNode[] | undefined;
      readonly isPaths?: boolean;
      readonly onePerLine?: boolean;
    }
  | { readonly type: 'stat'; readonly path: string; readonly stat: Stat }
  | {
      readonly type: 'acl';
      readonly path: string;
      readonly acl: readonly Acl[];
      readonly aversion: number;
      readonly stat?: Stat | undefined;
    }
  | {
      readonly type: 'tree';
      readonly root: TreeNode;
      readonly sizes: boolean;
      readonly shown: number;
      readonly truncated: boolean;
    }
  /** An answer of one value: `text` for people and pipes, `value` for programs. */
  | { readonly type: 'value'; readonly value: unknown; readonly text: string }
  /** Names and values, one below the other. */
  | { readonly type: 'fields'; readonly fields: readonly (readonly [string, string])[]; readonly json?: unknown }
  | {
      readonly type: 'table';
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly string[])[];
      readonly json: unknown;
      /** Lines below it, for people. */
      readonly foot?: readonly string[];
    }
  /** Lines of several sources, each with its label. */
  | {
      readonly type: 'lines';
      readonly lines: readonly { readonly label: string; readonly text: string }[];
    }
  /** A change that has nothing to show: people see `text`, pipes nothing. */
  | { readonly type: 'done'; readonly text: string; readonly json: unknown }
  /** What would change; nothing was sent. */
  | { readonly type: 'plan'; readonly changes: readonly Change[]; readonly summary: string }
  /** Text as it is, for help. */
  | { readonly type: 'page'; readonly text: string; readonly json: unknown }
);
