import { pathFault } from '../base/path.ts';

/** What is wrong with a path, as somebody reads it who typed whole characters: of one beyond U+FFFF the grammar sees halves. */
export function pathFaultText(path: string): string | undefined {
  const fault = pathFault(path);
  const place = /^invalid character U\+D[89AB][0-9A-F]{2} at character (\d+)$/.exec(fault ?? '')?.[1];
  const point = place === undefined ? 0 : (path.codePointAt(Number(place) - 1) ?? 0);
  if (point <= 0xffff) return fault;
  return `invalid character U+${point.toString(16).toUpperCase()} at character ${place}: names hold none beyond U+FFFF`;
}
