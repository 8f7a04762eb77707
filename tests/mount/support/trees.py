# SPDX-License-Identifier: Apache-2.0
"""What is in a directory tree, and how two of them differ.

    assert outline(root) == {"etc/": None, "etc/motd": b"hello\\n",
                             "etc/link": "-> motd"}
    assert_same_tree(mounted / "rootfs", unpacked)

Access and change times are nobody's statement about an image, and left out.
"""

import hashlib
import os
import stat
from collections import defaultdict
from pathlib import Path

from support.system import run

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory",
         stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket",
         stat.S_IFCHR: "char", stat.S_IFBLK: "block"}
# More is not worth to be read in a failed test's message.
SHOWN = 40


def outline(root):
    """The tree as a literal can say it: of each path a file's bytes, a
    symlink's "-> target", "fifo", "char 1:3"; a directory's path ends with /
    and has None."""
    return {_text(path) + "/" * (status.st_mode & 0o170000 == stat.S_IFDIR):
            _summary(_below(root, path), status)
            for path, status in walk(root) if path}


def _summary(path, status):
    kind = KINDS[stat.S_IFMT(status.st_mode)]
    if kind == "directory":
        return None
    if kind == "file":
        return Path(os.fsdecode(path)).read_bytes()
    if kind == "symlink":
        return "-> " + _text(os.readlink(path))
    if kind in ("char", "block"):
        return f"{kind} {_device(status)}"
    return kind


def walk(root):
    """(path below root as bytes, lstat) of everything, the root first as b"",
    parents before what is in them."""
    root = os.fsencode(root)
    yield b"", os.lstat(root)
    pending = [b""]
    while pending:
        above = pending.pop()
        for name in sorted(os.listdir(_below(root, above))):
            path = above + b"/" + name if above else name
            status = os.lstat(_below(root, path))
            yield path, status
            if stat.S_ISDIR(status.st_mode):
                pending.append(path)


def _below(root, path):
    return os.path.join(os.fsencode(root), path) if path else os.fsencode(root)


def read_tree(root, *, contents=True):
    """{path: {attribute: value}} of everything in the tree. `links` are the
    paths that share a file's inode; without contents, no file is opened."""
    tree, groups = {}, defaultdict(list)
    for path, status in walk(root):
        tree[path] = _attributes(_below(root, path), status, contents)
        if not stat.S_ISDIR(status.st_mode):
            groups[status.st_dev, status.st_ino].append(path)
    for paths in groups.values():
        for path in paths:
            tree[path]["links"] = [_text(other) for other in sorted(paths)]
    return tree


def _attributes(path, status, contents):
    kind = KINDS[stat.S_IFMT(status.st_mode)]
    found = {"type": kind, "mode": f"{stat.S_IMODE(status.st_mode):04o}",
             "uid": status.st_uid, "gid": status.st_gid,
             "mtime": status.st_mtime_ns, "xattrs": _xattrs(path)}
    if kind != "directory":
        found |= {"size": status.st_size, "nlink": status.st_nlink}
    if kind == "symlink":
        found["target"] = os.readlink(path)
    if kind in ("char", "block"):
        found["device"] = _device(status)
    if kind == "file" and contents:
        with open(path, "rb") as file:
            found["content"] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _xattrs(path):
    return {name: os.getxattr(path, name, follow_symlinks=False)
            for name in sorted(os.listxattr(path, follow_symlinks=False))}


def _device(status):
    return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"


def _text(path):
    return os.fsdecode(path)


def differences(left, right, *, ignore=()):
    """What two read_tree() differ in: lines of `path: what: left, right`.

    ignore: attributes, or (path, attribute) pairs, that may differ. The path
    of the root is "".
    """
    lines = []
    for path in sorted(left.keys() | right.keys()):
        name = _text(path)
        if path not in left or path not in right:
            where = "left" if path in left else "right"
            lines.append(f"{name!r}: only {where}")
            continue
        for what in sorted(left[path].keys() | right[path].keys()):
            values = left[path].get(what), right[path].get(what)
            if values[0] != values[1] and not {what, (name, what)} & set(
                    ignore):
                lines.append(f"{name!r}: {what}: {values[0]}, {values[1]}")
    return lines


def assert_same_tree(left, right, *, ignore=(), contents=True, without=()):
    """without: paths that may be in one of the trees alone."""
    trees = [read_tree(root, contents=contents) for root in (left, right)]
    for tree in trees:
        for path in without:
            tree.pop(os.fsencode(path), None)
    found = differences(*trees, ignore=ignore)
    assert not found, "\n".join(
        [f"{left} and {right} differ in {len(found)} ways:", *found[:SHOWN]])


def assert_rsync_agrees(left, right, *more):
    """rsync finds nothing to do, whichever tree is to become the other."""
    for source, target in ((left, right), (right, left)):
        result = run("rsync", "-naAXHc", "--delete", "--itemize-changes",
                     *more, f"{source}/", f"{target}/")
        assert result.stdout + result.stderr == "", (
            f"from {source} to {target}:\n{result.stdout[:4000]}")
