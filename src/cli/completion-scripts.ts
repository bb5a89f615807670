/** Completion for the operating system's shells: thin scripts that ask `zoosh __complete`. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type OsShell = (typeof SHELLS)[number];

const BASH = `# bash completion for zoosh; printed by: zoosh completion bash
# Puts itself in place for this shell with:  source <(zoosh completion bash)
_zoosh() {
  local line=\${COMP_LINE:0:COMP_POINT} at char quote= typed= before= opened= apart="'\\\\''" text flags note
  # readline replaces what follows the quote that is open; else what follows the last bare : or = of the word
  for ((at = 0; at < \${#line}; at++)); do
    char=\${line:at:1}
    if [[ $char == "$quote" ]]; then
      quote=
    elif [[ $char == \\\\ && $quote != \\' ]] && [[ -z $quote || \${line:at+1:1} == [\\"\\\\\\$\\\`] ]]; then
      typed+=\${line:$((++at)):1}
    elif [[ -z $quote && $char == [\\"\\'] ]]; then
      quote=$char opened=$typed
    elif [[ -z $quote && $char == [[:blank:]] ]]; then
      typed= before=
    else
      typed+=$char
      [[ -z $quote && $char == [:=] ]] && before=$typed
    fi
  done
  [[ -n $quote ]] && before=$opened
  COMPREPLY=()
  while IFS=$'\\t' read -r text flags note; do
    if [[ $text == :files ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    [[ -n $text ]] || continue
    [[ $flags == *n* ]] && compopt -o nospace 2>/dev/null
    text=\${text#"$before"}
    case $quote in
      \\') text=\${text//\\'/$apart} ;;
      \\") for char in \\\\ \\" \\$ \\\`; do text=\${text//"$char"/\\\\"$char"}; done ;;
      *) [[ $text =~ ^[A-Za-z0-9_./:,@=+-]*$ ]] || printf -v text '%q' "$text" ;;
    esac
    COMPREPLY+=("$text")
  done < <("\${COMP_WORDS[0]}" __complete --shell bash -- "$line" 2>/dev/null)
}
complete -F _zoosh zoosh
`;

const ZSH = `#compdef zoosh
# zsh completion for zoosh; printed by: zoosh completion zsh
# Puts itself in place for this shell with:  source <(zoosh completion zsh)
_zoosh() {
  local line=$LBUFFER text flags note
  # zsh takes an open quote out of the line while it completes
  [[ -n $QIPREFIX && -z $QISUFFIX && $line != *"$QIPREFIX$PREFIX" ]] && line=\${line%"$PREFIX"}$QIPREFIX$PREFIX
  local -a spaced glued spaced_notes glued_notes
  while IFS=$'\\t' read -r text flags note; do
    if [[ $text == :files ]]; then
      # a file may be glued to its option: --tls-ca=FILE
      [[ $PREFIX == -*=* ]] && compset -P 1 '*='
      _files
      return
    fi
    [[ -n $text ]] || continue
    if [[ $flags == *n* ]]; then
      glued+=("$text")
      glued_notes+=("$text\${note:+  -- $note}")
    else
      spaced+=("$text")
      spaced_notes+=("$text\${note:+  -- $note}")
    fi
  done < <("\${words[1]}" __complete --shell zsh -- "$line" 2>/dev/null)
  (( $#spaced )) && compadd -l -d spaced_notes -a spaced
  (( $#glued )) && compadd -l -S '' -d glued_notes -a glued
  return 0
}
# as a file _zoosh of fpath this is the function itself; otherwise it is sourced
if [[ \${funcstack[1]} == _zoosh ]]; then
  _zoosh "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
  compdef _zoosh zoosh
fi
`;

const FISH = `# fish completion for zoosh; printed by: zoosh completion fish
# Puts itself in place for this shell with:  zoosh completion fish | source
function __zoosh_complete
    set -l line (commandline -cp)
    zoosh __complete --shell fish -- "$line" 2>/dev/null | while read -l -d \\t text flags note
        if test "$text" = ':files'
            # a file may be glued to its option: --tls-ca=FILE
            set -l word (commandline -ct)
            set -l option (string match -r -- '^-[^=]*=' $word)
            for path in (__fish_complete_path (string replace -r -- '^-[^=]*=' '' $word))
                printf '%s%s\\n' "$option" $path
            end
            return
        end
        printf '%s\\t%s\\n' $text $note
    end
end
complete -c zoosh -f -a '(__zoosh_complete)'
`;

/** The script of one shell, as it lies in \`completions/\`. */
export const completionScript = (shell: OsShell): string => ({ bash: BASH, zsh: ZSH, fish: FISH })[shell];
