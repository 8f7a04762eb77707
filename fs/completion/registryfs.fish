# SPDX-License-Identifier: Apache-2.0
# Completes registryfs in fish.

# The command has one table of its mount options for itself and for us.
function __registryfs_options
    set -l command (commandline -opc)[1]
    $command --list-options 2>/dev/null | awk -F '\t' '
        $3 == "" { print $1 }
        { count = split($3, values, " ") }
        { for (i = 1; i <= count; i++) print $1 values[i] }'
end

# And one of its commands: their names, or the options of one that is typed.
function __registryfs_commands
    set -l words (commandline -opc)
    $words[1] --list-commands 2>/dev/null | awk -F '\t' -v command="$words[2]" '
        command == "" && $2 == "" { print $1 "\t" $4 }
        $1 == command && $2 != "" { print $2 "\t" $4 }'
end

complete -c registryfs -f -a '(__registryfs_commands)'
complete -c registryfs -f -a '(__fish_complete_directories)'
complete -c registryfs -s f -d 'Stay in the foreground'
complete -c registryfs -s d -d 'Stay, and show every request of the kernel'
complete -c registryfs -s o -x -d 'Mount options' \
    -a '(__fish_append , (__registryfs_options))'
complete -c registryfs -l debug -x -d 'Show what is done' \
    -a '(__fish_append , all auth fetch fuse http push store)'
complete -c registryfs -l help -d 'Print a summary'
complete -c registryfs -l version -d 'Print the version'
