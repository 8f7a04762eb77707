# SPDX-License-Identifier: Apache-2.0
"""Commands that wait for a registry, and what goes on meanwhile."""

import signal
import subprocess
import time
from contextlib import contextmanager

from registry.process import PATIENCE
from support.system import run

# What needs no registry is over by then, on a busy machine and with sanitizers.
PROMPT = 5
# So is, after a signal, what waits for one: it should be so within a second.
SECOND = 1
MARGIN = 2


@contextmanager
def waiting(hold, *command):
    """A command that waits for what the hold stops, until the block's end."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
             "stderr": subprocess.DEVNULL}
    with subprocess.Popen([str(part) for part in command], **quiet) as child:
        try:
            hold.wait_reached()
            assert child.poll() is None
            yield child
        finally:
            child.kill()
            hold.release()
            child.wait(PATIENCE)


@contextmanager
def silent(proxy, path, *command, method=None):
    """The same: the registry says nothing to requests that fit."""
    hold = proxy.falls_silent(path, method=method)
    with waiting(hold, *command) as child:
        yield child


def promptly(*command, **options):
    """The output of a command that must not wait."""
    return run(*command, timeout=PROMPT, **options).stdout


def end(child, signum=signal.SIGKILL):
    """The exit status of one that is to end at once."""
    start = time.monotonic()
    child.send_signal(signum)
    status = child.wait(PATIENCE)
    assert time.monotonic() - start < MARGIN * SECOND
    return status
