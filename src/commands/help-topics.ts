/** Pages of `help TOPIC`. */
export const TOPICS: Readonly<Record<string, string>> = {
  quoting: `Words are separated by blanks. A quote counts only at the start of a word.
  'text'      every character is itself
  "text"      \\" \\\\ and \\$ are escapes, \${name} is filled in, other backslashes stay
  $'text'     \\n \\t \\0 \\xHH \\uHHHH are escapes
  {...} [...] where data is expected: to the matching bracket, blanks included
  <<END       where data is expected: the lines up to END; <<'END' fills nothing in
A bare word keeps its backslashes and quotes: {"x":1} and C:\\dir stay as they are.
-- ends the options: set /a -- -x`,
  data: `Data of create, set and put:
  TEXT        as UTF-8
  @FILE       the bytes of a file
  @-          standard input
  @@TEXT      a text that starts with @
  ""          empty, which is not the same as none: create /a has no data at all
-b and -x say that the text is base64 or hexadecimal.`,
  globs: `Paths of commands that read or delete may be patterns:
  *  any characters   ?  one   [abc] [a-z] [!a]  one of these   {a,b}  either   **  any depth
A node whose name is the pattern itself wins. Quotes make a pattern literal. No match is exit code 10.`,
  operators: `  a ; b       one after the other (a blank after the ;)
  a && b      b if a succeeded          a || b      b if it did not
  a | cmd     plain output into a command of the operating system
  a > file    plain output into a file  a >> file   added to it
  !cmd        a command of the operating system
  # text      a comment`,
  variables: `  \${_}         the result of the last command    \${?}       its exit code
  \${cwd}       the current path                  \${session} the session's id
  \${env:NAME}  from the environment              \${1} ...   arguments of a script
  \${name}      from --set name=value
One that is not defined is an error; single quotes keep \${...} as it is.`,
  output: `Results go to standard output, everything else to standard error.
  human   on a terminal: columns, colours, ages
  plain   in pipes and files: a record a line, TAB between fields; data as it is
  json    one document per command; ndjson: always on one line
-o MODE before the command, or: settings output MODE. 64-bit ids are hexadecimal texts.`,
  watches: `  get -w PATH       tells once when the data changes; ls -w: the children; stat -w: either, or creation
  addWatch PATH     tells every change of a node and all below it until removewatches
A watch survives reconnects. When a session expires, addWatch is set again in the next one.`,
  acl: `An ACL is scheme:id:perms,scheme:id:perms,...
  world:anyone:r           everyone
  auth::cdrwa              whoever this session has proved to be (addauth)
  digest:user:hash:cdrwa   a user with a password
  ip:10.0.0.0/8:rw         by address
perms: c create children, d delete children, r read, w write, a change the ACL; all and ro for short.`,
};
