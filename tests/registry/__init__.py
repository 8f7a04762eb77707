# SPDX-License-Identifier: Apache-2.0
"""Registries for the tests: Debian's own, and one that misbehaves on demand.

server.py   docker-registry, in the variants that the tests need
proxy.py    in front of one, records each request, breaks what it is told to
faults.py   the ways in which a transfer breaks
tokens.py   a token server whose signatures docker-registry checks
tunnel.py   an https proxy through which a registry answers for Docker Hub
tls.py      a private certificate authority
client.py   the smallest client that can fill and question a registry
"""
