# SPDX-License-Identifier: Apache-2.0
"""What one would use to see into an image, each with nothing but a directory
that is gone afterwards."""

import os
import shutil
from base64 import b64encode
from contextlib import ExitStack, contextmanager

from benchmark.place import TIMEOUT
from registry.process import Process, wait_until
from support import engines
from support.system import mount_entry, run, unmount_below

# What a script does that does not know the layer: the last one counts.
CURL_AND_TAR = r"""
curl -fsS -H "Accept: application/vnd.oci.image.manifest.v1+json" \
	"$1/manifests/$2" | jq -r '.layers[].digest' |
while read -r digest; do
	curl -fsS "$1/blobs/$digest" | tar -xzO "./$3" >one 2>/dev/null
	! [ -s one ] || mv one found
done
cat found
rm -f one found
"""


def curl_and_tar(registry, image, path, **options):
    """A file of an image, out of all of its layers."""
    repository, tag = image.split(":")
    return run("sh", "-c", CURL_AND_TAR, "sh",
               f"{registry.url}/v2/{repository}", tag, path,
               timeout=TIMEOUT, **options).stdout


class Podman(engines.Podman):
    """podman as it is installed, but for where its storage is."""

    DRIVER = "overlay"
    PRIVATE = ()  # the mounts of scripts/bench are its own already

    # Where it keeps what it remembers of blobs, states and locks.
    FIXED = ("/var/lib/containers", "/run", "/dev/shm")

    def __init__(self, place, registry=None):
        super().__init__(place.new("podman"))
        self._place = place
        self._registry = registry

    def __call__(self, *arguments, **options):
        # Blobs on their way are neither in --root nor in --tmpdir.
        environment = os.environ | {"TMPDIR": str(self.directory)}
        return super().__call__(*arguments, timeout=TIMEOUT, env=environment,
                                **options)

    @contextmanager
    def opened(self):
        """A new storage, with nothing in it."""
        self.directory.mkdir()
        with ExitStack() as stack:
            stack.callback(self._place.remove, self.directory)
            for path in self.FIXED:
                if not self.directory.is_relative_to(path):
                    stack.enter_context(_mounted("tmpfs", path))
            stack.enter_context(_mounted("cgroup2", "/sys/fs/cgroup"))
            stack.callback(self.wait)
            yield

    @contextmanager
    def pulled(self, image):
        """A new storage with an image; yields the name that it has there."""
        name = f"{self._registry.address}/{image}"
        with self.opened():
            self("pull", "--quiet", "--tls-verify=false", name)
            yield name

    @contextmanager
    def loaded(self, archive):
        """A new storage with the image of an archive; yields its name."""
        with self.opened():
            said = self("load", "--quiet", "-i", archive).stdout
            yield said.rpartition("Loaded image: ")[2].strip()

    @contextmanager
    def root(self, image):
        with self.pulled(image) as name:
            yield self("image", "mount", name).stdout.strip()


@contextmanager
def _mounted(fstype, path):
    os.makedirs(path, exist_ok=True)
    run("mount", "-t", fstype, "none", path)
    try:
        yield
    finally:
        run("umount", "--lazy", path)


class Stargz:
    """stargz-snapshotter's store, which fetches what is read of eStargz layers,
    and the kernel's overlay of them."""

    def __init__(self, place, registry):
        self._place = place
        self._registry = registry
        tools = os.environ.get("TOOLS", "/tmp/registryfs-bench/tools")
        self._program = shutil.which(
            "stargz-store", path=f"{tools}:{os.environ['PATH']}")

    def is_installed(self):
        return self._program is not None

    @contextmanager
    def root(self, image):
        directory = self._place.new("stargz")
        root, store = directory / "root", directory / "store"
        for path in (root, store):
            path.mkdir(parents=True)
        process = Process(
            [self._program, "-root", directory / "cache", store],
            directory / "log")
        try:
            wait_until(lambda: mount_entry(store) or not process.running(),
                       "the mount of stargz-store", poll=0.002)
            self._stack(image, store, directory, root)
            yield root
        finally:
            unmount_below(directory)
            process.stop()
            self._place.remove(directory)

    def _stack(self, image, store, directory, root):
        """Mounts the layers, under names that are short and have no colon."""
        name = b64encode(f"{self._registry.address}/{image}".encode()).decode()
        manifest = self._registry.client().manifest(*image.split(":")).json()
        layers = [layer["digest"] for layer in manifest["layers"]]
        for number, digest in enumerate(layers):
            link = directory / str(number)
            link.symlink_to(store / name / digest / "diff")
        lower = ":".join(map(str, reversed(range(len(layers)))))
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower}",
            root, cwd=directory)
