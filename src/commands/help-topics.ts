/** Pages of `help TOPIC`. */
export const TOPICS: Readonly<Record<string, string>> = {
  quoting: `Words are separated by blanks. A quote counts only at the start of a word.
  'text'       every character is itself
  "text"       \\" \\\\ and \\$ are escapes, \${name} is filled in, other backslashes stay
  $'text'      \\n \\t \\0 \\xHH \\uHHHH are escapes
  {...} [...]  where data is expected: to the matching bracket, blanks included, \${name} as it stands
  <<END        the lines up to END, wherever a word may stand; <<'END' fills nothing in
A bare word keeps its quotes and backslashes: {"x":1} and C:\\dir stay as they are. Only a backslash before a blank or an
operator goes, and makes that an ordinary character.
-- ends the options: set /a -- -x`,
  data: `Data of create, set and put:
  TEXT        as UTF-8
  @FILE       the bytes of a file
  @-          standard input
  @@TEXT      a text that starts with @
  ""          empty, which is not the same as none: create /a has no data at all
-b and -x say that the text is base64 or hexadecimal. Lines of commands are UTF-8; what is not is refused, and bytes of another
kind are given as @FILE, @- or $'\\xHH'. Words from the system's own shell have lost such bytes before they get here.`,
  globs: `Paths of commands that read or delete may be patterns:
  *      any characters
  ?      one
  [abc]  one of these; [a-z] and [!a], too
  {a,b}  either
  **     any depth
A node whose name is the pattern itself wins. Quotes make a pattern literal. No match is exit code 10.`,
  operators: `  a ; b       one after the other (a blank after the ;)
  a && b      b if a succeeded
  a || b      b if it did not
  a | cmd     plain output into a command of the operating system; all that follows on the line is that command's, ; and && too,
              and so are the lines of a <<END
  a > file    plain output into a file; the data of one node byte for byte
  a >> file   added to it
  !cmd        a command of the operating system, to the end of the line
  # text      a comment`,
  variables: `  \${_}         the result of the last command: the path it made or wrote, the
               data it read, else its first line; none after one that failed
  \${?}         its exit code
  \${cwd}       the current path
  \${session}   the session's id
  \${env:NAME}  from the environment
  \${1} ...     arguments of a script
  \${#}         how many those are
  \${name}      from let, or --set name=value
One that is not defined is an error; single quotes keep \${...} as it is, and so does JSON that is not in quotes: "{\\"a\\": \\"\${x}\\"}" or a heredoc fills it in.`,
  output: `Results go to standard output, everything else to standard error.
  human   on a terminal: columns, colours, ages
  plain   in pipes and files: a record a line, TAB between fields; data as it is
  json    one document per command
  ndjson  a line for each row of a table, node found, match, difference or event; one line for any other answer, ls included
-o MODE before the command, or: settings output MODE. 64-bit ids are hexadecimal texts.`,
  watches: `  get -w PATH       reports once when its data changes or it is deleted
  ls -w PATH        reports once when a child comes or goes, or it is deleted
  stat -w PATH      reports once when it is created, changed or deleted; its children do not count
  addWatch PATH     reports every change of a node and all below it until removewatches
A watch survives reconnects. When a session expires, addWatch is set again in the next one.`,
  acl: `An ACL is scheme:id:perms,scheme:id:perms,...
  world:anyone:r           everyone
  auth::cdrwa              whoever this session has proved to be (addauth)
  digest:user:hash:cdrwa   a user with a password
  ip:10.0.0.0/8:rw         by address
perms: c create children, d delete children, r read, w write, a change the ACL; all and ro for short.`,
  transactions: `  txn { check /a 3; set /a x; delete /b }    all of it, or nothing
  txn         opens one: check, create, set and delete wait in it until commit or abort; txn show lists them
  --atomic    before a script: all its changes as one transaction. put, mkdir, touch, deleteall, cp and mv become operations
              by looking at the tree first; assert becomes a check of what it saw
The exit code is that of the operation that failed. check PATH absent makes the node and deletes it again\ninside, so that the cversion of its parent grows.`,
  scripts: `  zoosh FILE.zk ARG...
  zoosh -c 'CMD; CMD'
  zoosh <FILE
  run FILE ARG...       in a script or at the prompt
The first failure ends a script with its exit code; -k goes on and counts them. exists, find and the like answer no with
exit code 1, which ends nothing: && || and \${?} go by it. So do programs (!CMD, | CMD) such as grep: more than 1 is
a failure. What lock, semaphore, elect and watch run fails with 1, too. assert ends a script.
First lines of a file or of standard input that is the whole script may say:
  #: atomic
  #: continue-on-error
  #: output ndjson
Of use there:
  let NAME = value
  let NAME = $(get /a)
  each /app/* do get {}
  repeat 3 -i 1s stat /a
  wait /a --timeout 30s
With -o json or ndjson each command of a script, a file or standard input, is one line:
  {"line":3,"command":"get /a","ok":true,"result":...}
What programs print there, after ! and |, goes to standard error.`,
  safety: `What asks first, at a prompt or as a command typed in a terminal:
  many nodes       deleteall, setAcl -R and what else touches many says what it would do, then asks; not for up to 20 nodes
                   that undo brings back
  "protect"        of a profile: each kind of change is asked about once, and many nodes by typing the path
  the ensemble     reconfig and what stops servers, always
Nobody is asked in scripts and pipes: it runs, or is refused (exit code 30), and the message names --yes.
  -n, --dry-run    shows what would change, with the versions there are; nothing is sent
  --read-only      nothing can be changed
/, /zookeeper and what the ensemble keeps there are never deleted. setAcl refuses to lock you out, and create to lock
everybody out, unless --force.`,
  compat: `  zoosh --compat zkcli ...   is zkCli: its words, texts, exit codes; one command a line, no variables, no operators
  zkcli-exact                its banner and session events, too; =3.8 or =3.10 for that version's texts
The same when it is called zkCli.sh, or spoken to as zkCli is (-server HOST ls /) in a script.
Two things it does better: an unknown letter in an ACL is an error, and words it has no place for are reported.
The session is closed at the end, and what the ensemble needs is never deleted.`,
};
