# SPDX-License-Identifier: Apache-2.0
"""A Debian root file system, made of this machine's own files: those that the
packages below and all that they depend on have installed. It has what people
make: merged directories, hard links, setuid programs, odd owners."""

import os
import re
from pathlib import PurePath

from support.system import run

PACKAGES = ("bash", "coreutils", "dash", "dpkg", "findutils", "grep", "login",
            "passwd", "perl-base", "python3", "sed", "tar", "util-linux")
# Not of a package, or of one's scripts.
MORE = ("/bin", "/lib", "/lib64", "/sbin", "/etc/alternatives", "/etc/passwd",
        "/etc/group", "/etc/ld.so.cache", "/etc/debian_version",
        "/var/lib/dpkg")
# Nothing that a root file system needs, and large.
LEFT_OUT = re.compile(
    r"/usr/share/(doc|locale|man|info|zoneinfo)/.|/var/lib/dpkg/info/."
    r"|/(dev|proc|sys|run|tmp|root|home|mnt|media)(/|$)")


def _with_dependencies(packages):
    """Of those installed; of alternatives the first."""
    listed = run("dpkg-query", "-W", "-f",
                 "${binary:Package}\t${Pre-Depends}, ${Depends}\n").stdout
    depends = {}
    for line in listed.splitlines():
        name, needed = line.split("\t")
        depends[name.split(":")[0]] = re.findall(
            r"(?:^|,)\s*([a-z0-9][a-z0-9+.-]+)", needed)
    found, pending = set(), list(packages)
    while pending:
        name = pending.pop()
        if name in depends and name not in found:
            found.add(name)
            pending += depends[name]
    return sorted(found)


def _files(packages):
    """The packages' files by the names that they have on a merged /usr."""
    listed = run("dpkg-query", "-L", *packages).stdout.splitlines()
    files = {os.path.join(os.path.realpath(os.path.dirname(path)),
                          os.path.basename(path))
             for path in listed if path.startswith("/") and path != "/."}
    for path in MORE:
        files.add(path)
        if os.path.isdir(path) and not os.path.islink(path):
            files |= {os.path.join(above, name)
                      for above, names, others in os.walk(path)
                      for name in names + others}
    kept = {path for path in files
            if os.path.lexists(path) and not LEFT_OUT.match(path)}
    return sorted(kept | {str(above) for path in kept
                          for above in PurePath(path).parents} - {"/"})


def debian_tar(file):
    """Writes the tar, as GNU tar makes it."""
    paths = _files(_with_dependencies(PACKAGES))
    run("tar", "-C", "/", "--no-recursion", "--null", "--format=pax",
        "--xattrs", "--acls", "--numeric-owner", "--files-from=-",
        "--create", "--file", file, stdin=None,
        input="\0".join(path.lstrip("/") for path in paths))
    return file
