# SPDX-License-Identifier: Apache-2.0
"""What the mount tests stand on.

daemon.py   starts registryfs, waits for the mount, judges what the daemon said
images.py   makes images and artifacts and pushes them by plain HTTP
catalogs.py listings too large to be pushed one by one
archives.py image archives, as tools write them
engines.py  docker, podman, skopeo and umoci, each in a place of its own
home.py     a home directory with credentials and certificates
system.py   commands, the mount table, another user
"""
