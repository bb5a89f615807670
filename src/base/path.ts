import type { Brand } from './ids.ts';

/** A znode path that passed {@link pathFault}. */
export type ZnodePath = Brand<string, 'ZnodePath'>;

/** Paths no client may delete. */
export const PROTECTED: ReadonlySet<string> = new Set(['', '/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']);

const isForbidden = (unit: number): boolean =>
  unit <= 0x1f ||
  (unit >= 0x7f && unit <= 0x9f) ||
  (unit >= 0xd800 && unit <= 0xf8ff) ||
  (unit >= 0xfff0 && unit <= 0xffff);

/**
 * What is wrong with `path` under ZooKeeper's grammar, or undefined when nothing is. The text names the place, 1-based
 * like Java's message. Rules: starts with `/`, does not end with it, no empty, `.` or `..` component, no control
 * characters, surrogates, private use characters or U+FFF0 to U+FFFF.
 */
export function pathFault(path: string): string | undefined {
  if (path.length === 0) return 'path is empty';
  if (path.charCodeAt(0) !== 47) return 'path must start with /';
  if (path.length === 1) return undefined;
  if (path.charCodeAt(path.length - 1) === 47) return 'path must not end with /';
  let start = 1; // of the component we are in
  for (let i = 1; i <= path.length; i++) {
    const unit = i === path.length ? 47 : path.charCodeAt(i);
    if (unit === 47) {
      const length = i - start;
      if (length === 0) return `empty name at character ${i + 1}`;
      if (length === 1 && path.charCodeAt(start) === 46) return `relative name . at character ${start + 1}`;
      if (length === 2 && path.charCodeAt(start) === 46 && path.charCodeAt(start + 1) === 46)
        return `relative name .. at character ${start + 1}`;
      start = i + 1;
    } else if (isForbidden(unit)) {
      const point = path.codePointAt(i) as number; // whoever typed a whole character is not told of half of it
      const fault = `invalid character U+${point.toString(16).toUpperCase().padStart(4, '0')} at character ${i + 1}`;
      return point <= 0xffff ? fault : `${fault}: names hold none beyond U+FFFF`;
    }
  }
  return undefined;
}

export const isValidPath = (path: string): path is ZnodePath => pathFault(path) === undefined;

/** The parent in ZooKeeper's sense: `/` for `/a`, `''` (no node) for `/`. */
export function parentOf(path: string): string {
  const slash = lastSlash(path);
  if (slash < 0) return '';
  return slash === 0 ? (path.length === 1 ? '' : '/') : path.slice(0, slash);
}

/** The last component. */
export const nameOf = (path: string): string => path.slice(lastSlash(path) + 1);

const SLASH = 0x2f;
/** Where the last one stands, -1 without any. In JavaScript: names are short, and `lastIndexOf` is a call into the engine. */
export function lastSlash(path: string): number {
  let at = path.length - 1;
  while (at >= 0 && path.charCodeAt(at) !== SLASH) at--;
  return at;
}

/** `join('/', 'a')` is `/a`, `join('/a', 'b')` is `/a/b`. */
export const joinPath = (parent: string, name: string): string => (parent === '/' ? `/${name}` : `${parent}/${name}`);

/** The ten digits ZooKeeper appends to sequential names; a negative counter keeps its sign inside the ten characters. */
export const sequenceSuffix = (counter: number): string =>
  counter < 0 ? `-${String(-counter).padStart(9, '0')}` : String(counter).padStart(10, '0');
