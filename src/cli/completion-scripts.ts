/** Completion for the operating system's shells: thin scripts that ask `zoosh __complete`. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type OsShell = (typeof SHELLS)[number];

const BASH = `# bash completion for zoosh; printed by: zoosh completion bash
# Puts itself in place for this shell with:  source <(zoosh completion bash)
_zoosh() {
  local line=\${COMP_LINE:0:COMP_POINT} word text flags note tail
  word=\${line##*[[:blank:]]}
  COMPREPLY=()
  # readline replaces only what follows the last : or = of the word
  tail=\${word%"\${word##*[:=]}"}
  while IFS=$'\\t' read -r text flags note; do
    if [[ $text == :files ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    [[ -n $text ]] || continue
    [[ $flags == *n* ]] && compopt -o nospace 2>/dev/null
    text=\${text#"$tail"}
    [[ $text =~ ^[A-Za-z0-9_./:,@=+-]*$ ]] || printf -v text '%q' "$text"
    COMPREPLY+=("$text")
  done < <("\${COMP_WORDS[0]}" __complete --shell bash -- "$line" 2>/dev/null)
}
complete -F _zoosh zoosh
`;

const ZSH = `#compdef zoosh
# zsh completion for zoosh; printed by: zoosh completion zsh
# Puts itself in place for this shell with:  source <(zoosh completion zsh)
_zoosh() {
  local text flags note
  local -a spaced glued spaced_notes glued_notes
  while IFS=$'\\t' read -r text flags note; do
    if [[ $text == :files ]]; then
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
  done < <("\${words[1]}" __complete --shell zsh -- "$LBUFFER" 2>/dev/null)
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
            __fish_complete_path (commandline -ct)
            return
        end
        printf '%s\\t%s\\n' $text $note
    end
end
complete -c zoosh -f -a '(__zoosh_complete)'
`;

/** The script of one shell, as it lies in \`completions/\`. */
export const completionScript = (shell: OsShell): string => ({ bash: BASH, zsh: ZSH, fish: FISH })[shell];
