# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench measures, and with what. It starts registries and mounts
as the tests do (tests/registry, tests/mount/support).

place.py      a directory with the registries, mounts and caches of a run
alone.py      its own network and mounts
memory.py     what a daemon had of it
image.py      an archive of a realistic image
images.py     the images of make-images.sh, in a registry
peers.py      podman, stargz-store, curl and tar
table.py      the rows, and how they are printed
read.py       rows: a blob through the mount
push.py       rows: an archive into the mount
listing.py    rows: long directories
tree.py       the root file system of an image, and what is done with one
tree_small.py rows: a small file of it, from nothing
tree_run.py   rows: a program of it, from nothing
tree_whole.py rows: all of it, from nothing
tree_warm.py  rows: all of it, once it was read
"""
