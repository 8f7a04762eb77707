# SPDX-License-Identifier: Apache-2.0
"""How much memory a daemon has had of its own."""

import re
import threading
from pathlib import Path

PERIOD = 0.02  # seconds; to read the status costs some 50 µs


class Memory:
    """Watches a process while the block runs: `peak` bytes are there after it.

    The pages of indexes that it has mapped, which are the files below a
    directory, are not its own: they are the kernel's to take back. VmHWM counts
    them, and no counter has the peak without them. So the anonymous and shared
    memory is looked at all the time, and what is resident of the program and
    its libraries, which only grows, is added at the end.
    """

    def __init__(self, pid, indexes):
        self.peak = 0
        self._process = Path("/proc", str(pid))
        self._indexes = indexes
        self._most = 0
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self):
        self._watch.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._watch.join()
        if (self._process / "smaps").exists():
            program = self._status("RssFile") - self._mapped_indexes()
            self.peak = self._most + program

    def _poll(self):
        while True:
            try:
                own = self._status("RssAnon", "RssShmem")
            except OSError:
                return  # it is gone, and whoever waits for it says so
            self._most = max(self._most, own)
            if self._ended.wait(PERIOD):
                return

    def _status(self, *names):
        status = (self._process / "status").read_text()
        return sum(int(re.search(rf"^{name}:\s+(\d+) kB", status, re.M)[1])
                   for name in names) * 1024

    def _mapped_indexes(self):
        # By number: one that was made by this process is mapped under the
        # name that it had while it was written.
        indexes = {path.stat().st_ino for path in self._indexes.glob("*")}
        kilobytes, ours = 0, False
        for line in (self._process / "smaps").read_text().splitlines():
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                ours = int(line.split()[4]) in indexes
            elif ours and line.startswith("Rss:"):
                kilobytes += int(line.split()[1])
        return kilobytes * 1024
