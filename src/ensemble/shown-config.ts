/** A line whose key ends so, and its value, also where it goes on in the next line. */
const SECRET = /^([ \t]*[^\s#!=:][^\s=:]*(?:password|superDigest))([ \t]*[=: \t][ \t]*)(?:[^\n\\]|\\[\s\S])*$/gim;

/** The text of a zoo.cfg as it may be shown: `***` in place of passwords and of the digest of who may do everything. */
export const shownConfig = (text: string): string => text.replace(SECRET, '$1$2***');
