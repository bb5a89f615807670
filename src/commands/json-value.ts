/** One value inside the JSON of a node. */
import type { Data } from '../shell/command.ts';
import { Failure } from '../shell/failure.ts';
import { isJson, type JsonSteps, jsonAt, jsonWith } from '../shell/json-at.ts';
import { textOf } from '../shell/node-json.ts';
import type { Output } from '../shell/output.ts';

/** @throws Failure (10) when the data is no JSON */
function documentOf(path: string, data: Data): string {
  const text = data === null ? undefined : textOf(data);
  if (text === undefined || !isJson(text))
    throw new Failure(10, 'NoValue', `the data of ${path} is not JSON`, { path });
  return text;
}

/** The value as it is written there. @throws Failure (10) when there is none */
export function valueText(path: string, data: Data, at: JsonSteps): string {
  const found = jsonAt(documentOf(path, data), at);
  if (found === undefined) throw new Failure(10, 'NoValue', `the data of ${path} has no such value`, { path });
  return found;
}

/** A text without its quotes, anything else as JSON. @throws Failure (10) */
export function jsonValue(path: string, data: Data, at: JsonSteps): Output {
  const written = valueText(path, data, at);
  const value: unknown = JSON.parse(written);
  return { type: 'value', value, text: typeof value === 'string' ? value : written };
}

/** What was typed as a value: JSON as it is, anything else a text. */
export const asJson = (text: string): string => (isJson(text) ? text : JSON.stringify(text));

/** The data with another value in it. @throws Failure (10) when there is no place for it */
export function withValue(path: string, data: Data, at: JsonSteps, value: string): Buffer {
  const changed = jsonWith(documentOf(path, data), at, value);
  if (changed === undefined)
    throw new Failure(10, 'NoValue', `the data of ${path} has no place for such a value`, { path });
  return Buffer.from(changed);
}
