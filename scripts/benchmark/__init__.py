# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench measures, and with what. It starts registries and mounts
as the tests do (tests/registry, tests/mount/support).

place.py   a directory with the registries, mounts and caches of a run
image.py   an archive of a realistic image
table.py   the rows, and how they are printed
read.py    rows: a blob through the mount
push.py    rows: an archive into the mount
listing.py rows: long directories
"""
