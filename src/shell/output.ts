/** What commands find, before a renderer decides how it looks. */
import type { Acl, Stat, WatchEvent } from '../client/api.ts';
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
/** A line of a drawing of many nodes: a node, or how many of its parent's children are not shown, below those that are. */
export interface Branch {
  /** 0 for the root. */
  readonly depth: number;
  readonly name: string;
  readonly path: string;
  readonly stat?: Stat | undefined;
  /** Nothing is drawn below its parent behind it. */
  readonly isLast: boolean;
  /** Of each level above but the root whether its node is the last: `1` or `0`. */
  readonly lasts: string;
  readonly more?: number;
}
/** A piece of a long answer: the first opens the document that JSON makes of it, the last ends it. */
export type Part = 'first' | 'next' | 'last';
/** How one node differs between here and there, or what is about to happen to it. */
export interface Difference {
  /** `+` only there, `-` only here, `~` in both and not the same, `!` cannot be done. */
  readonly sign: '+' | '-' | '~' | '!';
  readonly path: string;
  /** The version it has here. */
  readonly version?: number | undefined;
  /** Data on either side; undefined: not compared, or the same. */
  readonly before?: Uint8Array | null | undefined;
  readonly after?: Uint8Array | null | undefined;
  /** Of JSON people see only the keys that differ. */
  readonly isBrief?: boolean;
  /** What else differs, in words: `acl world:anyone:cdrwa -> world:anyone:r`. */
  readonly notes?: readonly string[];
}
/** An event of a watch, and when it came, ms since 1970. */
export interface EventLine {
  readonly at: number;
  readonly event: WatchEvent;
  /** What it changed, when that was asked for. */
  readonly change?: EventChange | undefined;
}
/** What a node was and is; undefined when it was not there, or nobody knew it. */
export interface EventChange {
  readonly before: NodeValue | undefined;
  readonly after: NodeValue | undefined;
  readonly children?: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly count: number;
  };
}
export interface NodeValue {
  readonly version: number;
  readonly data: Uint8Array | null;
}
/** A line that was looked for. */
export interface Match {
  readonly path: string;
  /** 1-based; undefined: data that is no text. */
  readonly line: number | undefined;
  readonly text: string;
  /** A line around one that matches. */
  readonly isContext?: boolean;
  /** How many lines of the node match, where only that is told. */
  readonly count?: number;
}
export interface Column {
  readonly name: string;
  /** Numbers stand right. */
  readonly right?: boolean;
  /** Left out where the screen is too narrow; the least first. Absent: never. */
  readonly drop?: number;
  /** Paths and names of nodes: people see them as they may be typed again. */
  readonly isPath?: boolean;
  /** The last one, of sentences: goes on below itself where the screen is too narrow. */
  readonly folds?: boolean;
  /** The last one, of lines that are known by their beginning: cut where the screen is too narrow. */
  readonly cuts?: boolean;
}

/** Everything a command can answer with. `exit` is the status of an answer that is no, or of the `program` it ran. */
export type Output = { readonly exit?: number; readonly program?: readonly string[] } & (
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
      readonly count: number;
      /** `paths` are the roots of what is gone. */
      readonly isTree?: boolean;
      /** Whoever asked for it named none of them. */
      readonly isFound?: boolean;
      /** What else is to be said about it, for people. */
      readonly note?: string;
      /** `count` of the last part is of all. */
      readonly part?: Part;
    }
  | {
      readonly type: 'node';
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly stat: Stat;
      readonly showStat: boolean;
      readonly form: DataForm;
      /** JSON stays as it is stored. */
      readonly noPretty?: boolean;
    }
  | { readonly type: 'many'; readonly parts: readonly Output[] }
  | {
      readonly type: 'listing';
      readonly path: string;
      readonly names: readonly string[];
      readonly stat?: Stat | undefined;
      readonly long?: readonly ListedNode[] | undefined;
      readonly isPaths?: boolean;
      /** The node itself, not what is below. */
      readonly isItself?: boolean;
      readonly onePerLine?: boolean;
      readonly part?: Part;
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
      /** All there are, when only a part is shown. */
      readonly total?: number;
    }
  /** The same of more nodes than one keeps in memory: `shown` and what follows are of the last part. */
  | {
      readonly type: 'branches';
      readonly branches: readonly Branch[];
      /** The one before them, where they are not the first. */
      readonly previous: Branch | undefined;
      readonly sizes: boolean;
      readonly shown: number;
      readonly truncated: boolean;
      readonly total?: number;
      readonly part?: Part;
    }
  | {
      readonly type: 'differences';
      readonly differences: readonly Difference[];
      readonly part?: Part;
      /** One sentence below them, for people. */
      readonly summary?: string;
      /** The same for programs. */
      readonly counts?: Readonly<Record<string, unknown>>;
    }
  | {
      readonly type: 'matches';
      readonly matches: readonly Match[];
      /** What of a line people see marked. */
      readonly marks?: RegExp;
      readonly part?: Part;
    }
  | {
      readonly type: 'findings';
      readonly findings: readonly {
        readonly verdict: 'ok' | 'warn' | 'FAIL';
        readonly what: string;
        readonly fix?: string;
      }[];
      readonly summary: string;
    }
  | { readonly type: 'events'; readonly events: readonly EventLine[] }
  /** How much was done; `text` for people, each change for programs. */
  | {
      readonly type: 'counts';
      readonly counts: Readonly<Record<string, number>>;
      readonly text: string;
      readonly changes?: readonly Difference[];
    }
  /** An answer of one value: `text` for people and pipes, `value` for programs. */
  | { readonly type: 'value'; readonly value: unknown; readonly text: string; readonly isPath?: boolean }
  /** Names and values, one below the other. */
  | {
      readonly type: 'fields';
      readonly fields: readonly (readonly [string, string])[];
      /** The same for people, where they have other names and units. */
      readonly humanFields?: readonly (readonly [string, string])[];
      /** What both are, where they are not a name and its value. */
      readonly headings?: readonly [string, string];
      readonly json?: unknown;
    }
  | {
      readonly type: 'table';
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly string[])[];
      /** The same for people, where that is another text. */
      readonly humanRows?: readonly (readonly string[])[];
      /** Of a table in parts: a list. */
      readonly json: unknown;
      /** Lines below it, for people. */
      readonly foot?: readonly string[];
      /** Why it is empty was said in words: people need no `(none)`. */
      readonly isTold?: boolean;
      readonly part?: Part;
    }
  /** Lines of several sources, each with its label. */
  | {
      readonly type: 'lines';
      readonly lines: readonly { readonly label: string; readonly text: string }[];
    }
  /**
   * Longer work, told of while it is done: `lines` for people and pipes, `entries` for programs that read line by line.
   * `json` is all of it, and the last to come; before it is there, programs that want one document are shown nothing.
   */
  | {
      readonly type: 'steps';
      readonly lines: readonly string[];
      readonly entries: readonly unknown[];
      readonly json?: unknown;
    }
  /** A change that has nothing to show: people see `text`, pipes nothing. */
  | {
      readonly type: 'done';
      readonly text: string;
      readonly json: unknown;
      /** Many nodes were changed: for people it is said how that is taken back. */
      readonly isBulk?: boolean;
    }
  /** How something stands: a sentence for people, `fields` in one row for pipes. */
  | { readonly type: 'state'; readonly text: string; readonly fields: readonly string[]; readonly json: unknown }
  /** What would change; nothing was sent. */
  | { readonly type: 'plan'; readonly changes: readonly Change[]; readonly summary: string }
  /** Text as it is, for help. */
  | { readonly type: 'page'; readonly text: string; readonly json: unknown }
);
