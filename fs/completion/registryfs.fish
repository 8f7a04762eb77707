# SPDX-License-Identifier: Apache-2.0
# Completes registryfs in fish.
set -l platforms \
    linux/{386,amd64,arm/v6,arm/v7,arm64,ppc64le,riscv64,s390x}
set -l options ro rw allow_other insecure noexec exec trust_suid trust_dev \
    squash no_squash prefetch referrers delete delete=recursive cache= \
    cache_size= tag_ttl= platform=$platforms \
    compression={gzip,zstd,estargz,zstd:chunked} authfile= timeout= \
    min_rate= source_date_epoch=

complete -c registryfs -f -a '(__fish_complete_directories)'
complete -c registryfs -s f -d 'Stay in the foreground'
complete -c registryfs -s d -d 'Stay, and show every request of the kernel'
complete -c registryfs -s o -x -d 'Mount options' \
    -a "(__fish_append , $options)"
complete -c registryfs -l debug -x -d 'Show what is done' \
    -a '(__fish_append , all auth fetch fuse http push store)'
complete -c registryfs -l help -d 'Print a summary'
complete -c registryfs -l version -d 'Print the version'
