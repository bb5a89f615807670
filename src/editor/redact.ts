const HIDDEN = '****';

/** One word of a line, or a quoted one as a whole; an open quote goes on to the end. */
const WORD = String.raw`(?:"(?:[^"\\]|\\[^])*"?|\$?'[^']*'?|\S+)`;
const COMMAND = String.raw`(?:^|[\s;&|{(])`;
/** Misspelt it is no command, and the password stands in the line all the same. */
const ALMOST = String.raw`(?:ad\w{2,8}|\w{0,6}auth\w{0,4})\s+(?:digest|digest256|sasl|super|x509)`;
const ADDAUTH = new RegExp(String.raw`(${COMMAND}(?:addauth\s+${WORD}|${ALMOST})[^\S\n]+)([^\n]+)`, 'gi');
const AUTH = new RegExp(String.raw`((?:^|\s)--?auth(?:\s+|=))(${WORD})`, 'gi');
/** `zoosh digest` of the system's shell, with its options, and what is typed of it at a prompt, where it is no command. */
const OUTER_DIGEST = String.raw`(?:^\s*|[;&|{(!]\s*|\bzoosh\s+)(?:-\S+\s+(?:[^-\s]\S*\s+)?)*digest`;
const DIGEST = new RegExp(String.raw`((?:${COMMAND}acl\s+digest|${OUTER_DIGEST})\s+(?:--sha256\s+)?)([^\n]+)`, 'gi');
/** The password of a store, as Java's programs are told of it. */
const PROPERTY = new RegExp(String.raw`((?:^|\s)(?:-D\s*|--define[\s=])[\w.]*password=)(${WORD})`, 'gi');
/** An id of an ACL with what should be a hash: 28 or 44 characters of base64, or `x` where that was hidden. */
const ACL_ID = /(\bdigest(?:256)?:[^\s:,"']+:)([^\s:,"']+)(?=:)/g;
const HASH = /^(?:[\w+/]{27}=|[\w+/]{43}=|x)$/;
/** Where the next command begins: an operator is a word of its own, or a `;` that ends one. */
const NEXT_COMMAND = /;?\s*$|;\s|\s(?:;|&&|\|\|?|>>?)(?=\s)/;

/** Cuts what belongs to a command from what follows. With quotes in it nobody can say by looking: all of it belongs. */
function own(rest: string): [string, string] {
  const at = /["']/.test(rest) ? rest.length : rest.search(NEXT_COMMAND);
  return [rest.slice(0, at), rest.slice(at)];
}

/** Keeps quotes and a leading `scheme:`. */
function hideSecret(word: string): string {
  const [, quote = '', scheme = ''] = /^(\$?["'])?([\w.-]+:)?/.exec(word) ?? [];
  const end = word.length > 1 && word.endsWith(';') ? ';' : '';
  return `${quote}${scheme}${HIDDEN}${quote.slice(-1)}${end}`;
}

/** `seen` gets each credential, as it stands there. */
function replaced(text: string, seen: (secret: string) => void): string {
  return text
    .replace(ADDAUTH, (_, head: string, rest: string) => {
      const [secret, following] = own(rest);
      if (secret.trim() === '') return head + rest;
      seen(secret);
      return `${head}${HIDDEN}${following}`;
    })
    .replace(AUTH, (_, head: string, word: string) => {
      seen(word);
      return head + hideSecret(word);
    })
    .replace(DIGEST, (all: string, head: string, rest: string) => {
      const [args, following] = own(rest);
      const [user = ''] = /^[^\s:]+/.exec(args) ?? [];
      const secret = args.slice(user.length).trim();
      if (secret === '') return all;
      seen(secret);
      return `${head}${user}${args[user.length] === ':' ? ':' : ' '}${HIDDEN}${following}`;
    })
    .replace(PROPERTY, (_, head: string, word: string) => {
      seen(word);
      return head + HIDDEN;
    })
    .replace(ACL_ID, (all: string, head: string, secret: string) => {
      if (HASH.test(secret)) return all;
      seen(secret);
      return head + HIDDEN;
    });
}

/**
 * The line without its credentials: what follows `addauth SCHEME`, the secret of `--auth SCHEME:SECRET` in each of its
 * spellings, that of a property, the password of `acl digest USER:PASSWORD`, `acl digest USER PASSWORD` or `zoosh digest USER:PASSWORD`, and what stands in an ACL's digest id where its
 * hash belongs. Hashes stay.
 */
export const redact = (text: string): string => replaced(text, () => {});

/** What stands in a redacted line for a credential, with what may be around it. */
const IS_HIDDEN = /(?:^|[:"'])\*{4}["']?;?$/;
/** This is no credential, but stands for one. */
export const isHidden = (secret: string): boolean => IS_HIDDEN.test(secret.trim());

/** A redacted line: it does not do what it did. */
export function holdsHidden(text: string): boolean {
  let isFound = false;
  replaced(text, (secret) => {
    isFound ||= isHidden(secret);
  });
  return isFound;
}
