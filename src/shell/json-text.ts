/** JSON objects and arrays, written out for reading; undefined for anything else. Numbers keep their digits. */
export function prettyJson(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // a number or a repeated key that a round trip changes must be shown as it is stored
    return JSON.stringify(value) === text ? JSON.stringify(value, null, 2) : undefined;
  } catch {
    return undefined;
  }
}

/** Without blanks, as {@link prettyJson} found it; undefined when it is no JSON, or a round trip would change it. */
export function compactJson(text: string): string | undefined {
  try {
    const compact = JSON.stringify(JSON.parse(text));
    const squeezed = text.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (found) => (found.startsWith('"') ? found : ''));
    return compact === squeezed ? compact : undefined;
  } catch {
    return undefined;
  }
}
