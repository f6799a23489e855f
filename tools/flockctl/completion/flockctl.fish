# Completion of flockctl for fish. What may stand there is asked of flockctl itself, which asks the flockd that the line means.

function __flockctl_complete
    set -l words (commandline -opc)[2..-1] (commandline -ct)
    set -l found (flockctl complete -- $words 2>/dev/null)
    if test "$found[1]" = :files
        __fish_complete_path (commandline -ct)
        return
    end
    printf '%s\n' $found
end

complete -c flockctl -f -a '(__flockctl_complete)'
