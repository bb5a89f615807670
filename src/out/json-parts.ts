import type { Output, Part } from '../shell/output.ts';
import { branchesJson } from './branches.ts';
import { toJson } from './json.ts';

type Divided = Extract<Output, { part?: unknown }>;
/** Where the entries are in the document of an answer; a table's document is the list itself. */
const LISTS: Readonly<Record<Exclude<Divided['type'], 'table' | 'branches'>, string>> = {
  deleted: 'paths',
  listing: 'children',
  differences: 'differences',
  matches: 'matches',
};

/** Whether an answer comes in parts: in JSON these make one document. */
export const isDivided = (output: Output): output is Divided & { readonly part: Part } =>
  'part' in output && output.part !== undefined;

/** The text of a part: of the first all up to the end of its list, of the next its entries, of the last the rest. */
export function partText(output: Divided & { readonly part: Part }, indent: number | undefined): string {
  if (output.type === 'table') return listPart(output.json as readonly unknown[], output.part, indent);
  if (output.type === 'branches') return branchesJson(output, indent);
  const name = LISTS[output.type];
  const document = toJson(output) as Record<string, unknown>;
  const entries = document[name] as readonly unknown[];
  const [newline, margin] = indent === undefined ? ['', ''] : ['\n', ' '.repeat(2 * indent)];
  const body = entries
    .map((entry) => newline + margin + JSON.stringify(entry, null, indent).replaceAll('\n', `\n${margin}`))
    .join(',');
  if (output.part === 'next') return entries.length === 0 ? '' : `,${body}`;
  // what was deleted is counted at the end
  const rest = Object.keys(document).filter((key) => key !== name && (output.part === 'last' || key !== 'deleted'));
  const field = (key: string): string =>
    `${newline}${' '.repeat(indent ?? 0)}${JSON.stringify(key)}:${indent === undefined ? '' : ' '}`;
  const value = (key: string): string =>
    JSON.stringify(document[key], null, indent).replaceAll('\n', `\n${' '.repeat(indent ?? 0)}`);
  // what names the answer stands before the list, what sums it up comes with the last part
  if (output.part === 'first')
    return `{${rest.map((key) => `${field(key)}${value(key)},`).join('')}${field(name)}[${body}`;
  const end = indent === undefined ? ']' : `\n${' '.repeat(indent)}]`;
  const more = rest.filter((key) => key !== 'path').map((key) => `,${field(key)}${value(key)}`);
  return `${entries.length === 0 ? '' : `,${body}`}${end}${more.join('')}${newline}}\n`;
}

/** Of a list the text of a part: the first opens it, the last ends it. */
export function listPart(entries: readonly unknown[], part: Part, indent: number | undefined): string {
  const [newline, margin] = indent === undefined ? ['', ''] : ['\n', ' '.repeat(indent)];
  const body = entries
    .map((entry) => newline + margin + JSON.stringify(entry, null, indent).replaceAll('\n', `\n${margin}`))
    .join(',');
  if (part === 'first') return `[${body}`;
  return `${entries.length === 0 ? '' : `,${body}`}${part === 'last' ? `${newline}]\n` : ''}`;
}
