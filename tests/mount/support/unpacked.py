# SPDX-License-Identifier: Apache-2.0
"""The trees that other tools unpack of an image, to compare with."""

from pathlib import Path

from support.archives import write_layout
from support.system import run


def umoci_rootfs(image, directory):
    """An image made here, unpacked by umoci."""
    layout = write_layout(Path(directory) / "layout", [("tag", image)])
    return umoci_unpack(layout, "tag", Path(directory) / "umoci")


def umoci_unpack(layout, tag, rootfs):
    """An image of an OCI layout, unpacked by umoci."""
    run("umoci", "raw", "unpack", "--image", f"{layout}:{tag}", rootfs)
    return Path(rootfs)


def untar(tar, directory):
    """A tar's bytes, unpacked by GNU tar: of fifty thousand files it makes as
    many in two seconds, and the others in thirty."""
    Path(directory).mkdir()
    run("tar", "--xattrs", "--xattrs-include=*", "-C", directory, "-xf", "-",
        input=tar, stdin=None, text=False)
    return Path(directory)


def podman_rootfs(podman, reference):
    """An image of a registry, pulled by podman. It lasts as long as podman's
    storage."""
    podman("pull", "--quiet", "--tls-verify=false", reference)
    return Path(podman("image", "mount", reference).stdout.strip())


def buildah_rootfs(podman, reference):
    """The same by buildah, in the storage of podman."""
    def buildah(*arguments):
        return run("buildah", *podman.storage(), *arguments).stdout.strip()
    container = buildah("from", "--quiet", "--pull", "--tls-verify=false",
                        reference)
    return Path(buildah("mount", container))
