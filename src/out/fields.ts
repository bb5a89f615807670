/** Results as records with named fields: `--fields`, `--header`, `-o table`. */

import type { Stat } from '../client/api.ts';
import { usage } from '../shell/failure.ts';
import type { Column, Output } from '../shell/output.ts';
import { showName } from '../shell/paths.ts';
import { hex } from '../shell/units.ts';
import { visibleLine } from './data.ts';
import type { Screen } from './human.ts';
import { toJson } from './json.ts';
import { isDivided, listPart } from './json-parts.ts';
import { oneList } from './one-list.ts';
import { kindOf, statJson } from './stat.ts';
import { drawBordered } from './table.ts';

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Help and plain texts have no fields to choose from. */
export const hasRecords = (output: Output): boolean =>
  !['page', 'lines', 'value', 'plan', 'steps'].includes(output.type);

/** What a result is about, one record each. */
function recordsOf(output: Output): Fields[] {
  if (output.type === 'many') return output.parts.flatMap(recordsOf);
  if (output.type === 'listing')
    return (
      output.long?.map(({ name, stat }) => ({ name, kind: kindOf(stat), ...statJson(stat), ...asInHeader(stat) })) ??
      output.names.map((name) => ({ name }))
    );
  const json = toJson(output);
  const records = (Array.isArray(json) ? json : [json]).filter(isFields);
  // `stat.version` may be called version
  return records.map((record) => (isFields(record.stat) ? { ...record.stat, ...record } : record));
}

/** What the columns of a long listing are called, where JSON has another name. */
const asInHeader = (stat: Stat): Fields => {
  const { dataLength, numChildren, ephemeralOwner } = statJson(stat);
  return { bytes: dataLength, children: numChildren, owner: ephemeralOwner };
};

function fieldOf(record: Fields, name: string): unknown {
  let value: unknown = record;
  for (const part of name.split('.')) {
    if (!isFields(value) || !Object.hasOwn(value, part)) {
      const known = Object.keys(record).filter((key) => !isFields(record[key]));
      throw usage(`there is no field ${name} here`, `there are ${known.join(', ')}`);
    }
    value = value[part];
  }
  return value;
}

const shown = (value: unknown): string =>
  value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);

/** @throws Failure (2) for a field there is not */
export function renderFields(
  output: Output,
  fields: readonly string[],
  { mode, isTerminal }: { readonly mode: string; readonly isTerminal: boolean },
  { theme }: Screen,
): Uint8Array {
  const records = recordsOf(output).map((record) => fields.map((name) => fieldOf(record, name)));
  if (mode === 'json' || mode === 'ndjson') {
    const objects = records.map((values) => Object.fromEntries(fields.map((name, at) => [name, values[at]])));
    const isOne = output.type !== 'many' && output.type !== 'listing' && output.type !== 'table';
    if (mode === 'ndjson') return Buffer.from(objects.map((each) => `${JSON.stringify(each)}\n`).join(''));
    const indent = isTerminal ? 2 : undefined;
    if (isDivided(output)) return Buffer.from(listPart(objects, output.part, indent));
    return Buffer.from(`${JSON.stringify(isOne ? objects[0] : objects, null, indent)}\n`);
  }
  const rows = records.map((values) => values.map(shown));
  if (mode === 'plain' || mode === 'zkcli')
    return Buffer.from(rows.map((row) => `${row.map(showName).join('\t')}\n`).join(''));
  const columns = fields.map((name) => ({ name }));
  return Buffer.from(
    drawBordered(
      columns,
      rows.map((row) => row.map(visibleLine)),
      theme.ascii,
    )
      .map((line) => `${line}\n`)
      .join(''),
  );
}

const LONG = ['kind', 'version', 'bytes', 'children', 'mtime', 'owner', 'name'];

const headingsOf = ({ headings }: Extract<Output, { type: 'fields' }>): readonly string[] =>
  headings ?? ['field', 'value'];

/** Names of the fields of plain output; undefined where it has none. */
export function headerOf(output: Output): readonly string[] | undefined {
  if (output.type === 'table') return output.columns.map(({ name }) => name);
  if (output.type === 'fields') return headingsOf(output);
  if (output.type === 'stat') return ['field', 'value'];
  if (output.type === 'listing') return output.long === undefined ? ['name'] : LONG;
  return undefined;
}

/** With borders; undefined for what is no table. */
export function toTable(output: Output, screen: Screen): string[] | undefined {
  const { theme } = screen;
  const draw = (columns: readonly Column[], rows: readonly (readonly string[])[]): string[] =>
    drawBordered(
      columns,
      rows.map((row) => row.map(visibleLine)),
      theme.ascii,
    );
  const named = (names: readonly string[]): Column[] => names.map((name) => ({ name }));
  switch (output.type) {
    case 'many': {
      const list = oneList(output.parts);
      return list === undefined ? undefined : toTable(list, screen);
    }
    case 'table':
      return draw(output.columns, output.rows);
    case 'fields':
      return draw(named(headingsOf(output)), output.fields);
    case 'stat':
      return draw(
        named(['field', 'value']),
        Object.entries(statJson(output.stat)).map(([name, value]) => [name, String(value)]),
      );
    case 'listing':
      if (output.long === undefined)
        return draw(
          named(['name']),
          output.names.map((name) => [name]),
        );
      return draw(
        LONG.map((name) => ({ name, right: ['version', 'bytes', 'children'].includes(name) })),
        output.long.map(({ name, stat }) => [
          kindOf(stat),
          String(stat.version),
          String(stat.dataLength),
          String(stat.numChildren),
          statJson(stat).mtime,
          hex(stat.ephemeralOwner),
          name,
        ]),
      );
    case 'acl':
      return draw(
        named(['scheme', 'id', 'perms']),
        (toJson(output) as { acl: { scheme: string; id: string; perms: string }[] }).acl.map((each) => [
          each.scheme,
          each.id,
          each.perms,
        ]),
      );
    default:
      return undefined;
  }
}
