/** A number that is printed as it is written here: Java's doubles have a place behind the point always. */
export class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
/** What a command answers. */
export type Json = null | boolean | number | bigint | string | NumberText | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** As ZooKeeper's admin server prints it: two blanks a level of objects, ` : ` behind a name, lists in one line. */
export function printJson(value: Json, indent = ''): string {
  if (value === null || typeof value !== 'object')
    return typeof value === 'string' ? JSON.stringify(value) : `${value}`;
  if (value instanceof NumberText) return value.text;
  if (Array.isArray(value))
    return value.length === 0 ? '[ ]' : `[ ${value.map((each: Json) => printJson(each, indent)).join(', ')} ]`;
  const more = `${indent}  `;
  const fields = Object.entries(value as JsonObject);
  if (fields.length === 0) return '{ }';
  const lines = fields.map(([key, each]) => `${more}${JSON.stringify(key)} : ${printJson(each, more)}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}
