# SPDX-License-Identifier: Apache-2.0
"""The machine as the tests see it: commands, mounts, another user."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

# Nothing that a test starts runs longer on purpose.
COMMAND_TIMEOUT = 120


def run(*command, check=True, **options):
    """Runs a command; one that fails without check=False shows its output."""
    options = {"capture_output": True, "text": True, "timeout": COMMAND_TIMEOUT,
               "stdin": subprocess.DEVNULL} | options
    result = subprocess.run([str(part) for part in command], **options)
    if check and result.returncode:
        raise AssertionError(
            f"{' '.join(map(str, command))}: exit status {result.returncode}\n"
            f"{result.stdout}{result.stderr}")
    return result


def quick_disk(otherwise):
    """A directory in memory where that has room for what a test writes: a
    registry waits for the disk after each blob, half of the time of a push."""
    memory = "/dev/shm"
    if os.path.isdir(memory) and shutil.disk_usage(memory).free > 4 << 30:
        return memory
    return otherwise


def fails_with(code):
    """The block fails with that errno."""
    return pytest.raises(OSError, match=rf"\[Errno {code}\]")


def somebody_runs_with(argument):
    """Whether a process has the text in its command line."""
    def says(process):
        try:
            return os.fsencode(argument) in (process / "cmdline").read_bytes()
        except OSError:
            return False  # it has just ended
    return any(map(says, Path("/proc").glob("[0-9]*")))


@dataclass(frozen=True)
class MountEntry:
    fstype: str
    source: str
    options: frozenset  # the mount's and the file system's


def mount_entry(path):
    """What /proc/self/mountinfo says of a mount point; None where none is."""
    found = None
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if _unescaped(fields[4]) != str(path):
            continue
        fstype, source, super_options = fields[fields.index("-") + 1:]
        options = frozenset((fields[5] + "," + super_options).split(","))
        found = MountEntry(fstype, _unescaped(source), options)
    return found


def unmount_below(directory):
    """Removes the mounts in a directory, whatever their state."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines()[::-1]:
        path = _unescaped(line.split()[4])
        if Path(directory) in Path(path).parents:
            run("umount", "--lazy", path)


def _unescaped(text):
    return re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), text)


class OtherUser:
    """Somebody without rights: nobody, with directories of their own, since
    pytest's are root's alone."""

    def __init__(self):
        self._account = pwd.getpwnam("nobody")
        self._base = Path(tempfile.mkdtemp(prefix="registryfs-test-"))
        self._base.chmod(0o755)

    @property
    def uid(self):
        return self._account.pw_uid

    @property
    def popen(self):
        """What makes subprocess run a child as this user."""
        return {"user": self.uid, "group": self._account.pw_gid,
                "extra_groups": []}

    def run(self, *command, **options):
        return run(*command, cwd="/", **self.popen, **options)

    def own(self, path):
        """Makes everything below path this user's."""
        for entry in [path, *Path(path).rglob("*")]:
            os.chown(entry, self.uid, self._account.pw_gid,
                     follow_symlinks=False)

    def new_directory(self):
        directory = Path(tempfile.mkdtemp(dir=self._base))
        self.own(directory)
        return directory

    def copy_in(self, path):
        """A copy of a file where this user can reach it."""
        return Path(shutil.copy(path, self.new_directory()))

    def remove(self):
        shutil.rmtree(self._base)


@contextmanager
def everyone_may_use_fuse():
    """udev makes /dev/fuse 0666; where it did not run, users cannot mount."""
    device = "/dev/fuse"
    mode = os.stat(device).st_mode & 0o7777
    os.chmod(device, 0o666)
    try:
        yield
    finally:
        os.chmod(device, mode)
