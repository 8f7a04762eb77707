#compdef registryfs
# SPDX-License-Identifier: Apache-2.0
# Completes registryfs in zsh.

local -a mount_options topics lines commands specs

# Commands, each with options of its own: from a table as well.
lines=(${(f)"$(_call_program commands $words[1] --list-commands)"})
if (( CURRENT > 2 )) && [[ -n ${(M)lines:#$words[2]$'\t\t'*} ]]; then
	specs=(${(f)"$(print -l $lines | awk -F '\t' -v command=$words[2] '
		$1 != command || $2 == "" { next }
		{ action = $3 == "" ? "" : ":" $3 ":" }
		$3 == "FILE" { action = action "_files" }
		{ print $2 "[" $4 "]" action }')"})
	shift words
	(( CURRENT-- ))
	_arguments $specs '1:registry:_hosts'
	return
fi
commands=(${(f)"$(print -l $lines | awk -F '\t' '$2 == "" { print $1 ":" $4 }')"})

# The command has one table of its mount options for itself and for us.
mount_options=(${(f)"$(_call_program options $words[1] --list-options | awk -F '\t' '
	{ name = $1; sub(/=$/, "", name); gsub(/:/, "\\\\:", $3); action = "" }
	$2 == "DIR" { action = "_files -/" }
	$2 == "FILE" { action = "_files" }
	$3 != "" { action = "(" $3 ")" }
	name == $1 { spec[name] = name "[" $4 "]" }
	name != $1 {
		optional = name in spec ? ":" : ""
		spec[name] = name "[" $4 "]" optional ":" $2 ":" action
	}
	END { for (name in spec) print spec[name] }')"})
topics=(all auth fetch fuse http push store)

_arguments \
	'(- *)--help[print a summary]' \
	'(- *)--version[print the version]' \
	'-f[stay in the foreground]' \
	'-d[stay, and show every request of the kernel]' \
	'--debug=[show what is done]:topic:_values -s , topic $topics' \
	'*-o[mount options]:option:_values -s , option $mount_options' \
	'1:registry:{ _describe -t commands command commands; _hosts }' \
	'2:mount point:_files -/'
