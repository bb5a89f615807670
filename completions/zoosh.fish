# fish completion for zoosh; printed by: zoosh completion fish
# Puts itself in place for this shell with:  zoosh completion fish | source
function __zoosh_complete
    set -l line (commandline -cp)
    zoosh __complete --shell fish -- "$line" 2>/dev/null | while read -l -d \t text flags note
        if test "$text" = ':files'
            # a file may be glued to its option: --tls-ca=FILE
            set -l word (commandline -ct)
            set -l option (string match -r -- '^-[^=]*=' $word)
            for path in (__fish_complete_path (string replace -r -- '^-[^=]*=' '' $word))
                printf '%s%s\n' "$option" $path
            end
            return
        end
        printf '%s\t%s\n' $text $note
    end
end
complete -c zoosh -f -a '(__zoosh_complete)'
