# SPDX-License-Identifier: Apache-2.0
"""registryfs itself: started, waited for, ended, and judged by what it said."""

import errno
import os
import re
import signal
from pathlib import Path

from registry.process import PATIENCE, Process, wait_until
from support.system import mount_entry, run

ERROR = re.compile(r"^(?:registryfs: error: |fuse: ).*$", re.M)
SANITIZER = re.compile(
    r"\w+Sanitizer|runtime error:|Assertion .* failed|SUMMARY: ")


def find_binary(source):
    """$REGISTRYFS_BIN, or what was built last in a build* directory."""
    if "REGISTRYFS_BIN" in os.environ:
        return Path(os.environ["REGISTRYFS_BIN"]).resolve()
    built = [path for path in Path(source).glob("build*/fs/registryfs")
             if path.is_file()]
    return max(built, key=lambda path: path.stat().st_mtime, default=None)


def is_sanitized(binary):
    """Whether its memory use and speed say nothing about the program's."""
    data = Path(binary).read_bytes()
    return b"__asan_init" in data or b"__tsan_init" in data


class Mount:
    """A mount of one registry, or of a list of them. `mount / "app/1.0"` is a
    path below it.

    directory is the mount's own: mount point, log, and cache, unless cache is
    False. options are those after -o, arguments stand before them.
    """

    def __init__(self, binary, registry, directory, home, *, options=(),
                 arguments=(), mountpoint=None, cache=True, user=None):
        directory = Path(directory)
        self.path = mountpoint or directory / "mnt"
        self.cache = directory / "cache"
        directory.mkdir(parents=True, exist_ok=True)
        if not mountpoint:
            self.path.mkdir()
        if user:
            user.own(directory)
        self._expected = []
        self._allowed = []
        self._ended = False
        # The last one of an option counts: a test's own comes after this.
        options = [f"cache={self.cache}"] * cache + list(options)
        sources = [registry] if isinstance(registry, str) else registry
        command = [str(binary), "-f", *arguments]
        if options:
            command += ["-o", ",".join(options)]
        self._process = Process(
            [*command, *sources, str(self.path)],
            directory / "log", env=home.environment(),
            **(user.popen if user else {}))
        try:
            # The start is measured, too: it takes less than the usual wait.
            wait_until(self._answers, f"the mount of {sources}", poll=0.002)
        except Exception:
            self._end_by_force()
            raise

    def __truediv__(self, name):
        return self.path / name

    @property
    def pid(self):
        return self._process.pid

    def is_mounted(self):
        return mount_entry(self.path) is not None

    def log(self):
        return self._process.output()

    def expect_error(self, pattern):
        """Announces an error line: it has to come, and is then no fault."""
        self._expected.append(re.compile(pattern))

    def allow_error(self, pattern):
        """An error line that comes or does not, as the timing has it."""
        self._allowed.append(re.compile(pattern))

    def wait_for_log(self, pattern):
        return self._process.wait_for(pattern)

    def peak_memory(self):
        """The most bytes that the daemon had resident (VmHWM)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def unmount(self):
        """Ends the mount as a user does, and judges the daemon."""
        if self._ended:
            return
        if self.is_mounted():
            result = run("fusermount3", "-u", self.path, check=False)
            if result.returncode:
                self._end_by_force()
                raise AssertionError(f"unmount: {result.stderr}{self.log()}")
        self.finish()

    def signal(self, signum):
        os.kill(self.pid, signum)

    def finish(self):
        """Waits for the daemon, whose mount is gone, and judges it."""
        try:
            status = self._process.wait(PATIENCE)
        except Exception:
            self._end_by_force()
            raise
        self._ended = True
        faults = self._faults()
        if status:
            faults.append(f"exit status {status}")
        if self.is_mounted():
            faults.append("it left its mount behind")
            self._end_by_force()
        if faults:
            raise AssertionError("\n".join(
                ["registryfs:", *faults, "all it said:", self.log()]))

    def wait_for_end(self):
        """Of a daemon that has no mount any more: its mount point may be
        another's."""
        status = self._process.wait(PATIENCE)
        self._ended = True
        assert status == 0 and not self._faults(), self.log()

    def kill(self):
        """As a crash: SIGKILL. The dead mount stays."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        self._ended = True

    def _answers(self):
        if not self._process.running():
            raise RuntimeError(f"registryfs ended: {self.log()}")
        return self.is_mounted() and not is_dead(self.path)

    def _faults(self):
        log = self.log()
        known = self._expected + self._allowed
        faults = [line for line in ERROR.findall(log)
                  if not any(pattern.search(line) for pattern in known)]
        faults += [f"no error line fits {pattern.pattern!r}"
                   for pattern in self._expected if not pattern.search(log)]
        if SANITIZER.search(log):
            faults.append("a sanitizer or an assertion spoke")
        return faults

    def _end_by_force(self):
        self._ended = True
        if self._process.running():
            self._process.child.kill()
            self._process.wait()
        discard_mount(self.path)


def is_dead(mountpoint):
    """Whether the daemon of a mount is gone. The kernel asks it each time."""
    try:
        os.statvfs(mountpoint)
    except OSError as error:
        return error.errno == errno.ENOTCONN
    return False


def discard_mount(path):
    """Removes a mount whatever its state; no mount is no error."""
    while mount_entry(path):
        run("fusermount3", "-uz", path)
