# SPDX-License-Identifier: Apache-2.0
"""Where a run happens: its registries, its mounts, its clock."""

import itertools
import os
import shutil
import time
from contextlib import ExitStack, contextmanager, nullcontext

from benchmark.alone import loopback_bytes
from benchmark.memory import Memory
from benchmark.table import Sample
from registry.server import DockerRegistry
from support.daemon import Mount, discard_mount
from support.home import Home
from support.system import run, unmount_below

# A push to an empty registry takes skopeo half a minute for a gigabyte.
TIMEOUT = 600


class Place:
    """A directory that holds all that a run writes."""

    def __init__(self, directory, binary):
        self.directory = directory
        self.peak_memory = 0  # bytes, of any daemon so far, without indexes
        self._binary = binary
        self._home = Home(directory / "home")
        self._numbers = itertools.count(1)

    def new(self, name):
        """A path that nothing has used yet."""
        return self.directory / f"{name}-{next(self._numbers)}"

    def remove(self, path):
        """A file or a tree, with what is mounted in it; one that is not there
        is removed already."""
        unmount_below(path)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    @contextmanager
    def scratch(self):
        """A directory for the time of a block."""
        directory = self.new("scratch")
        directory.mkdir()
        try:
            yield directory
        finally:
            self.remove(directory)

    @contextmanager
    def registry(self):
        """A docker-registry without anything in it."""
        directory = self.new("registry")
        try:
            with DockerRegistry(directory) as registry:
                yield registry
        finally:
            self.remove(directory)

    @contextmanager
    def mount(self, registry, *, cache=None, options=()):
        """A new mount, its cache empty unless one is named."""
        directory = self.new("mount")
        cache = cache or directory / "cache"
        mount = Mount(self._binary, registry.address, directory, self._home,
                      options=[f"cache={cache}", *options])
        try:
            with Memory(mount.pid, cache / "derived") as memory:
                yield mount
            self.peak_memory = max(self.peak_memory, memory.peak)
            mount.unmount()
        finally:
            discard_mount(mount.path)
            self.remove(directory)

    def measure(self, *command, registry=None, **options):
        """Runs a command on a disk at rest: its seconds, and how much of the
        registry was asked for meanwhile."""
        return self.measure_with(
            nullcontext(),
            lambda _: run(*command, timeout=TIMEOUT, cwd=self.directory,
                          **options),
            registry)

    def measure_with(self, made, use, registry=None):
        """The same of use(what), with what made comes with: the seconds are
        those from nothing until it was used, the rest counts until the end."""
        os.sync()
        with ExitStack() as stack:
            seen = registry and stack.enter_context(registry.requests())
            before = loopback_bytes()
            start = time.perf_counter()
            with made as what:
                use(what)
                seconds = time.perf_counter() - start
            sent = loopback_bytes() - before
        return Sample(seconds, len(seen), sent) if registry else Sample(seconds)


class Skopeo:
    """skopeo with what it remembers of blobs in a directory of its own."""

    def __init__(self, place):
        self._place = place
        self._data = place.new("skopeo")
        # Root's has a fixed path unless skopeo takes itself for a user's.
        self._environment = os.environ | {
            "XDG_DATA_HOME": str(self._data), "_CONTAINERS_ROOTLESS_UID": "1"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.forget()

    def forget(self):
        self._place.remove(self._data)

    def remembers(self):
        return any(self._data.rglob("blob-info-cache*"))

    def push(self, archive, registry, image, *arguments):
        return self.copy(f"docker-archive:{archive}", registry, image,
                         *arguments)

    def save(self, registry, image, target):
        return self._place.measure(
            "skopeo", "--insecure-policy",
            "--tmpdir", self._place.directory, "copy", "--quiet",
            "--src-tls-verify=false", f"docker://{registry.address}/{image}",
            target, registry=registry, env=self._environment)

    def copy(self, source, registry, image, *arguments):
        return self._place.measure(
            "skopeo", "--insecure-policy",
            "--tmpdir", self._place.directory, "copy", "--quiet",
            "--dest-tls-verify=false", *arguments, source,
            f"docker://{registry.address}/{image}",
            registry=registry, env=self._environment)
