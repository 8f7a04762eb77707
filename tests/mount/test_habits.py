# SPDX-License-Identifier: Apache-2.0
"""What a program does in several system calls is its own: another one that does
the like meanwhile changes nothing of it."""

import ctypes
import errno
import os
import subprocess
import sys

import pytest

from support.system import fails_with, run

AT_FDCWD, RENAME_NOREPLACE = -100, 1
# More than the mount ever remembers of one program.
MANY = 80
MAKE_MANY = """
import os, sys
for i in range(int(sys.argv[2])):
    os.mkdir(f"{sys.argv[1]}/repository-{i}")
"""


def renameat2(source, target, flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(source), AT_FDCWD,
                      os.fsencode(target), flags) < 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def test_another_program_between_two_steps_of_mv(app, new, client):
    """mv asks whether the name is there, which it is; looks at what is there,
    to replace it; and then moves."""
    (new / "one").write_text("1")
    run("mv", new, app / "1.0")
    os.mkdir(new)
    (new / "two").write_text("2")
    with fails_with(errno.EEXIST):
        renameat2(new, app / "1.0/.new", RENAME_NOREPLACE)
    run(sys.executable, "-c", MAKE_MANY, app.parent, str(MANY))
    assert os.stat(app / "1.0/.new")
    os.rename(new, app / "1.0/.new")
    assert os.listdir(app / "1.0/rootfs") == ["two"]
    assert client.tags("app") == ["1.0"]


@pytest.mark.parametrize("count", [8])
def test_many_mv_side_by_side(app, client, count):
    """Each into a tag of its own, all at once."""
    for i in range(count):
        os.mkdir(app / f".{i}")
        (app / f".{i}/before").write_text(str(i))
        run("mv", app / f".{i}", app / f"{i}.0")
        os.mkdir(app / f".{i}")
        (app / f".{i}/after").write_text(str(i))
    moves = [subprocess.Popen(["mv", app / f".{i}", app / f"{i}.0"])
             for i in range(count)]
    assert [move.wait() for move in moves] == [0] * count
    assert sorted(client.tags("app")) == [f"{i}.0" for i in range(count)]
    for i in range(count):
        assert (app / f"{i}.0/rootfs/after").read_text() == str(i)
