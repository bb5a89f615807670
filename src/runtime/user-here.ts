import { userInfo } from 'node:os';

/** Who runs this process, and where their files lie. A container may run as a number that nobody has a name for. */
export function userHere(): { readonly name: string; readonly home: string } {
  try {
    const { username, homedir } = userInfo();
    return { name: username, home: homedir };
  } catch {
    return { name: String(process.getuid?.() ?? ''), home: process.env.HOME ?? '/' };
  }
}

/** Where this process was started; the folder may be gone since. */
export const startedIn = ((): string => {
  try {
    return process.cwd();
  } catch {
    return process.env.PWD ?? '/';
  }
})();
