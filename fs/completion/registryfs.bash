# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completes registryfs in bash, with bash-completion's helpers. Its cur, prev,
# words and cword are the variables of _registryfs.

# Registries that somebody has logged in to.
_registryfs_hosts() {
	cat ~/.docker/config.json ~/.config/containers/auth.json \
		"${XDG_RUNTIME_DIR:-/run}/containers/auth.json" 2>/dev/null |
		grep -oE '"[a-z0-9-]+([.:][a-z0-9-]+)+": *\{' |
		cut -d '"' -f 2 | sort -u
}

# Offers $1 with each line of the input behind it. readline knows only what
# follows the last = or :, and replaces that.
_registryfs_offer() {
	local known=${cur%"${cur##*[=:]}"} word

	while read -r word; do
		word=$1$word
		COMPREPLY+=("${word#"$known"}")
	done
}

# A field of what the command says of the words that can follow -o: of $1, or of
# all. It has one table of them for itself and for us.
_registryfs_field() {
	"${words[0]}" --list-options 2>/dev/null |
		awk -F '\t' -v word="$1" -v field="$2" \
			'word == "" || $1 == word { print $field }'
}

# What can follow in the last item of -o's list.
_registryfs_option() {
	local word=${1%%=*}= value=${1#*=}

	if [ "$1" = "$value" ]; then
		compgen -W "$(_registryfs_field '' 1)" -- "$value"
		return
	fi
	case $(_registryfs_field "$word" 2) in
	DIR) compgen -d -- "$value" ;;
	FILE) compgen -f -- "$value" ;;
	*) compgen -W "$(_registryfs_field "$word" 3)" -- "$value" ;;
	esac
}

# The commands, or the options of the command $1: from a table as well.
_registryfs_commands() {
	"${words[0]}" --list-commands 2>/dev/null |
		awk -F '\t' -v command="$1" \
			'command == "" && $2 == "" { print $1 }
			$1 == command && $2 != "" { print $2 }'
}

# What can follow the command $1.
_registryfs_command() {
	case $prev in
	--authfile)
		_filedir
		return
		;;
	esac
	case $cur in
	--authfile=*)
		compopt -o nospace
		_registryfs_offer --authfile= \
			< <(compgen -f -- "${cur#*=}")
		;;
	-*)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_registryfs_commands "$1")" -- "$cur")
		[[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace
		;;
	*)
		_registryfs_offer '' < <(compgen -W \
			"$(_registryfs_hosts)" -- "$cur")
		;;
	esac
}

# How many arguments that are no options stand before the cursor.
_registryfs_position() {
	local i count=0

	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		-o) i=$((i + 1)) ;;
		-*) ;;
		*) count=$((count + 1)) ;;
		esac
	done
	echo "$count"
}

_registryfs() {
	local cur prev words cword item

	_init_completion -n =: || return
	if [ "$cword" -gt 1 ] &&
		[ -n "$(_registryfs_commands "${words[1]}")" ]; then
		_registryfs_command "${words[1]}"
		return
	fi
	if [ "$prev" = -o ]; then
		item=${cur##*,}
		compopt -o nospace
		_registryfs_offer "${cur%"${item#*=}"}" \
			< <(_registryfs_option "$item")
		return
	fi
	case $cur in
	--debug=*)
		item=${cur##*[=,]}
		compopt -o nospace
		_registryfs_offer "${cur%"$item"}" < <(compgen -W \
			'all auth fetch fuse http push store' -- "$item")
		;;
	-*)
		mapfile -t COMPREPLY < <(compgen -W \
			'-d -f -o --debug= --help --version' -- "$cur")
		[ "${COMPREPLY[*]}" != --debug= ] || compopt -o nospace
		;;
	*)
		if [ "$(_registryfs_position)" = 0 ]; then
			_registryfs_offer '' < <(compgen -W \
				"$(_registryfs_commands '') $(_registryfs_hosts)" \
				-- "$cur")
		else
			_filedir -d
		fi
		;;
	esac
} && complete -F _registryfs registryfs
