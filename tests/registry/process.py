# SPDX-License-Identifier: Apache-2.0
"""Programs in the background, and waiting for what they do."""

import re
import signal
import subprocess
import time
from pathlib import Path

# Waits are for conditions, so this is paid only by a test that fails.
PATIENCE = 30
POLL = 0.02


def wait_until(condition, what, timeout=PATIENCE, poll=POLL):
    """Polls until condition() is true and returns its value."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(poll)
    return value


class Process:
    """A child whose output goes to a file and which is ended by its pid."""

    def __init__(self, command, log, **popen):
        self.log = Path(log)
        with open(self.log, "wb") as out:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                **popen)

    @property
    def pid(self):
        return self.child.pid

    def output(self):
        return self.log.read_text(errors="replace")

    def running(self):
        return self.child.poll() is None

    def wait_for(self, pattern, timeout=PATIENCE):
        """The first match of pattern in the output."""
        def found():
            match = re.search(pattern, self.output())
            if not match and not self.running():
                raise RuntimeError(
                    f"{self.child.args[0]} ended: {self.output()}")
            return match
        return wait_until(found, f"{pattern!r} in {self.log}", timeout)

    def wait(self, timeout=PATIENCE):
        """The exit status; negative where a signal ended it."""
        return self.child.wait(timeout)

    def stop(self, signum=signal.SIGTERM, timeout=PATIENCE):
        """Ends the child, by force where it does not listen."""
        if self.running():
            self.child.send_signal(signum)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.wait()
