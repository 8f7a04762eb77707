# SPDX-License-Identifier: Apache-2.0
"""The ways in which a transfer breaks: filters over the chunks of a body.

A filter is a function from an iterable of chunks to an iterable of chunks. It
is given to Proxy.sends() or Proxy.receives().
"""

import threading
import time

from registry.process import PATIENCE


class Broken(Exception):
    """The proxy closes the connection at once."""


def split(chunks, at):
    """The chunks, cut so that one of them begins at byte `at`; with offsets."""
    position = 0
    for chunk in chunks:
        if position < at < position + len(chunk):
            yield position, chunk[:at - position]
            yield at, chunk[at - position:]
        else:
            yield position, chunk
        position += len(chunk)


def cut(after):
    """The connection is lost after that many bytes: a load balancer's restart,
    a laptop that changes its network."""
    def broken(chunks):
        for position, chunk in split(chunks, after):
            if position >= after:
                raise Broken
            yield chunk
    return broken


def corrupt(at):
    """One byte is wrong: a bad disk, a proxy that meddles. The size stays."""
    def corrupted(chunks):
        for position, chunk in split(chunks, at):
            if position == at:
                chunk = bytes([chunk[0] ^ 1]) + chunk[1:]
            yield chunk
    return corrupted


def slow(rate):
    """Bytes a second, in steps of a twentieth of a second."""
    step = max(1, rate // 20)

    def slowed(chunks):
        for chunk in chunks:
            for start in range(0, len(chunk), step):
                yield chunk[start:start + step]
                time.sleep(1 / 20)
    return slowed


def drip(data):
    """For Proxy.speaks(): ten bytes a second, which no stall detector of
    "nothing at all" notices."""
    def talk(send):
        for byte in data:
            send(bytes([byte]))
            time.sleep(1 / 10)
    return talk


def without_end(status=200, fields=b""):
    """For Proxy.speaks(): a body of 4 KB a second, until the client goes."""
    def talk(send):
        send(b"HTTP/1.1 %d Scripted\r\n%sTransfer-Encoding: chunked\r\n\r\n"
             % (status, fields))
        while True:
            send(b"400\r\n" + b" " * 1024 + b"\r\n")
            time.sleep(1 / 4)
    return talk


def silence_after(data):
    """For Proxy.speaks(): this much, and nothing more until the client goes.
    What is sent at last fails, and shows it."""
    def talk(send):
        send(data)
        time.sleep(PATIENCE / 3)
    return talk


class Hold:
    """Stops the transfer at a byte until release()."""

    def __init__(self, at):
        self.at = at
        self._reached = threading.Event()
        self._released = threading.Event()

    def __call__(self, chunks):
        for position, chunk in split(chunks, self.at):
            if position >= self.at:
                self.stop()
            yield chunk
        if not self._reached.is_set():
            self.stop()

    def stop(self):
        """Waits for release(); a test that forgot it breaks the transfer."""
        self._reached.set()
        if not self._released.wait(PATIENCE):
            raise Broken

    def reached(self):
        return self._reached.is_set()

    def wait_reached(self):
        """Returns when the bytes before `at` are on their way."""
        if not self._reached.wait(PATIENCE):
            raise TimeoutError("nobody transferred as much as that")

    def release(self):
        self._released.set()
