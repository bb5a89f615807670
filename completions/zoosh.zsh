#compdef zoosh
# zsh completion for zoosh; printed by: zoosh completion zsh
# Puts itself in place for this shell with:  source <(zoosh completion zsh)
_zoosh() {
  local line=$LBUFFER text flags note
  # zsh takes an open quote out of the line while it completes
  [[ -n $QIPREFIX && -z $QISUFFIX && $line != *"$QIPREFIX$PREFIX" ]] && line=${line%"$PREFIX"}$QIPREFIX$PREFIX
  local -a spaced glued spaced_notes glued_notes
  while IFS=$'\t' read -r text flags note; do
    if [[ $text == :files ]]; then
      # a file may be glued to its option: --tls-ca=FILE
      [[ $PREFIX == -*=* ]] && compset -P 1 '*='
      _files
      return
    fi
    [[ -n $text ]] || continue
    if [[ $flags == *n* ]]; then
      glued+=("$text")
      glued_notes+=("$text${note:+  -- $note}")
    else
      spaced+=("$text")
      spaced_notes+=("$text${note:+  -- $note}")
    fi
  done < <("${words[1]}" __complete --shell zsh -- "$line" 2>/dev/null)
  (( $#spaced )) && compadd -l -d spaced_notes -a spaced
  (( $#glued )) && compadd -l -S '' -d glued_notes -a glued
  return 0
}
# as a file _zoosh of fpath this is the function itself; otherwise it is sourced
if [[ ${funcstack[1]} == _zoosh ]]; then
  _zoosh "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
  compdef _zoosh zoosh
fi
