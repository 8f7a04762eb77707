# SPDX-License-Identifier: Apache-2.0
"""What the mount tests stand on.

daemon.py   starts registryfs, waits for the mount, judges what the daemon said
images.py   makes images and artifacts and pushes them by plain HTTP
catalogs.py what is put into a registry's storage without asking it
rootfs.py   images that look real; debian.py, the files that they have
caches.py   the cache directory, seen from outside: evicted, and tampered with
tars.py     tars with any entry and any field; sparse.py, their sparse files
layers.py   layers and images of such entries
compression.py gzip and zstd, in one piece and in many
estargz.py  eStargz layers; chunked.py, zstd:chunked ones; tocs.py, their TOCs
trees.py    what is in a directory tree, and how two of them differ
unpacked.py the trees that umoci, podman and buildah unpack
archives.py image archives, as tools write them
engines.py  docker, podman, skopeo and umoci, each in a place of its own
home.py     a home directory with credentials and certificates
readme.py   what README.md tells people to type
system.py   commands, the mount table, another user
"""
