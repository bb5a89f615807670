# bash completion for zoosh; printed by: zoosh completion bash
# Puts itself in place for this shell with:  source <(zoosh completion bash)
_zoosh() {
  local line=${COMP_LINE:0:COMP_POINT} at char quote= typed= before= opened= apart="'\\''" text flags note
  # readline replaces what follows the quote that is open; else what follows the last bare : or = of the word
  for ((at = 0; at < ${#line}; at++)); do
    char=${line:at:1}
    if [[ $char == "$quote" ]]; then
      quote=
    elif [[ $char == \\ && $quote != \' ]] && [[ -z $quote || ${line:at+1:1} == [\"\\\$\`] ]]; then
      typed+=${line:$((++at)):1}
    elif [[ -z $quote && $char == [\"\'] ]]; then
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
  while IFS=$'\t' read -r text flags note; do
    if [[ $text == :files ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    [[ -n $text ]] || continue
    [[ $flags == *n* ]] && compopt -o nospace 2>/dev/null
    text=${text#"$before"}
    case $quote in
      \') text=${text//\'/$apart} ;;
      \") for char in \\ \" \$ \`; do text=${text//"$char"/\\"$char"}; done ;;
      *) [[ $text =~ ^[A-Za-z0-9_./:,@=+-]*$ ]] || printf -v text '%q' "$text" ;;
    esac
    COMPREPLY+=("$text")
  done < <("${COMP_WORDS[0]}" __complete --shell bash -- "$line" 2>/dev/null)
}
complete -F _zoosh zoosh
