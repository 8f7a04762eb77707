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

# What can follow in the last item of -o's list.
_registryfs_option() {
	local value=${1#*=}

	case $1 in
	cache=*) compgen -d -- "$value" ;;
	authfile=*) compgen -f -- "$value" ;;
	platform=*)
		compgen -W 'linux/386 linux/amd64 linux/arm/v6 linux/arm/v7
			linux/arm64 linux/ppc64le linux/riscv64 linux/s390x' \
			-- "$value"
		;;
	compression=*)
		compgen -W 'gzip zstd estargz zstd:chunked' -- "$value"
		;;
	*=*) ;;
	*)
		compgen -W 'allow_other authfile= cache= cache_size=
			compression= delete delete=recursive exec insecure
			min_rate= no_squash noexec platform= prefetch referrers ro rw
			source_date_epoch=
			squash tag_ttl= timeout= trust_dev trust_suid' \
			-- "$value"
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
				"$(_registryfs_hosts)" -- "$cur")
		else
			_filedir -d
		fi
		;;
	esac
} && complete -F _registryfs registryfs
