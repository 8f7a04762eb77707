#compdef registryfs
# SPDX-License-Identifier: Apache-2.0
# Completes registryfs in zsh.

local -a options topics platforms

platforms=(linux/386 linux/amd64 linux/arm/v6 linux/arm/v7 linux/arm64
	linux/ppc64le linux/riscv64 linux/s390x)
options=(
	'ro[nothing can be pushed]'
	'rw[undo ro]'
	'allow_other[other users may enter]'
	'cache[where blobs are kept]:directory:_files -/'
	'cache_size[how much is kept there]:bytes, K M G T:'
	'tag_ttl[how long tags and lists are kept]:seconds:'
	"platform[platform to show for multi-platform images]:platform:($platforms)"
	'delete[tags can be removed and renamed]::what:(recursive)'
	'compression[of layers that are pushed]:format:(gzip zstd estargz zstd\:chunked)'
	'insecure[accept unverified TLS certificates, or plain HTTP]'
	'authfile[credentials]:file:_files'
	'timeout[seconds to wait for an unresponsive server]:seconds:'
	'min_rate[what is slower counts as silent]:bytes a second, K M G:'
	'source_date_epoch[the time to give to images created here]:seconds:'
	'noexec[programs cannot be run]'
	'exec[undo noexec]'
	'trust_suid[honour set-user-ID bits]'
	'trust_dev[honour devices]'
	'squash[files of images are yours]'
	'no_squash[files of images are whose the image says]'
	'prefetch[fetch the layers when a rootfs is entered]'
	'referrers[copies of an image include its referrers]'
)
topics=(all auth fetch fuse http push store)

_arguments \
	'(- *)--help[print a summary]' \
	'(- *)--version[print the version]' \
	'-f[stay in the foreground]' \
	'-d[stay, and show every request of the kernel]' \
	'--debug=[show what is done]:topic:_values -s , topic $topics' \
	'*-o[mount options]:option:_values -s , option $options' \
	'1:registry:_hosts' \
	'2:mount point:_files -/'
