# SPDX-License-Identifier: Apache-2.0
"""Programs on a terminal."""

import os
import pty
import select

SECONDS = 20  # that it is silent at most


class Terminal:
    """A command whose terminal somebody types at."""

    def __init__(self, environment, *command):
        self.shown = ""
        child, self.fd = pty.fork()
        if child == 0:
            os.execvpe(command[0], [str(word) for word in command], environment)
        self.child = child

    def expect(self, text):
        while text not in self.shown:
            if not self._read():
                raise AssertionError(self.shown)

    def type(self, text):
        os.write(self.fd, text.encode())

    def finish(self):
        while self._read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])

    def _read(self):
        if not select.select([self.fd], [], [], SECONDS)[0]:
            raise AssertionError(f"silence after: {self.shown}")
        try:
            more = os.read(self.fd, 4096).decode()
        except OSError:  # the other end is closed
            return False
        self.shown += more
        return bool(more)
