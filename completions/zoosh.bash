# bash completion for zoosh; printed by: zoosh completion bash
# Puts itself in place for this shell with:  source <(zoosh completion bash)
_zoosh() {
  local line=${COMP_LINE:0:COMP_POINT} word text flags note tail
  word=${line##*[[:blank:]]}
  COMPREPLY=()
  # readline replaces only what follows the last : or = of the word
  tail=${word%"${word##*[:=]}"}
  while IFS=$'\t' read -r text flags note; do
    if [[ $text == :files ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    [[ -n $text ]] || continue
    [[ $flags == *n* ]] && compopt -o nospace 2>/dev/null
    text=${text#"$tail"}
    [[ $text =~ ^[A-Za-z0-9_./:,@=+-]*$ ]] || printf -v text '%q' "$text"
    COMPREPLY+=("$text")
  done < <("${COMP_WORDS[0]}" __complete --shell bash -- "$line" 2>/dev/null)
}
complete -F _zoosh zoosh
