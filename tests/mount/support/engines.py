# SPDX-License-Identifier: Apache-2.0
"""The tools that people use with registries, each kept to a directory."""

from pathlib import Path

from registry.process import Process, wait_until
from support.system import run, somebody_runs_with

PROGRAM = r"""
#include <stdio.h>

/* Prints /etc/motd: what an image of one static program can say of itself. */
int main(void)
{
	FILE *motd = fopen("/etc/motd", "r");
	int c;

	if (!motd)
		return 1;
	while ((c = getc(motd)) != EOF)
		putchar(c);
	return 0;
}
"""


def make_rootfs(directory, motd):
    """A root file system that runs: /bin/show prints /etc/motd."""
    directory = Path(directory)
    for name in ("bin", "etc", "tmp"):
        (directory / name).mkdir(parents=True)
    source = directory / "tmp/show.c"
    source.write_text(PROGRAM)
    run("cc", "-static", "-Os", "-s", "-o", directory / "bin/show", source)
    source.unlink()
    (directory / "etc/motd").write_text(motd)
    return directory


def skopeo(*arguments, **options):
    """skopeo without policy and without TLS, as loopback registries are."""
    return run("skopeo", "--insecure-policy", *arguments, **options)


def skopeo_copy(source, destination, *arguments):
    return skopeo("copy", "--src-tls-verify=false", "--dest-tls-verify=false",
                  *arguments, source, destination)


def umoci_layout(directory, rootfs, tag):
    """An OCI layout with one image of a root file system, made by umoci."""
    run("umoci", "init", "--layout", directory)
    image = f"{directory}:{tag}"
    run("umoci", "new", "--image", image)
    run("umoci", "insert", "--image", image, rootfs, "/")
    run("umoci", "config", "--image", image, "--config.entrypoint", "/bin/show")
    return Path(directory)


class Engine:
    """What docker and podman have in common."""

    def __init__(self, directory):
        self.directory = Path(directory)

    def command(self, *arguments):
        """What a shell would be told."""
        raise NotImplementedError

    def __call__(self, *arguments, **options):
        return run(*self.command(*arguments), **options)

    def image_id(self, image):
        return self("image", "inspect", "-f", "{{.Id}}", image).stdout.strip()

    def import_rootfs(self, rootfs, image):
        """Makes an image that runs /bin/show of a root file system."""
        archive = self.directory / "rootfs.tar"
        run("tar", "-C", rootfs, "-cf", archive, ".")
        self("import", "--change", 'ENTRYPOINT ["/bin/show"]', archive, image)
        archive.unlink()


class Docker(Engine):
    """Debian's docker engine without network and without systemd."""

    # Another, in /usr/local, is older or newer than the engine.
    CLIENT = "/usr/bin/docker"

    def __init__(self, directory):
        super().__init__(directory)
        self.socket = self.directory / "socket"
        self._engine = None

    def start(self):
        self._engine = Process(
            ["dockerd", "--iptables=false", "--bridge=none",
             "--storage-driver=vfs",
             "--data-root", str(self.directory / "data"),
             "--exec-root", str(self.directory / "exec"),
             "--pidfile", str(self.directory / "pid"),
             "-H", f"unix://{self.socket}"],
            self.directory / "log")
        self._engine.wait_for(r"API listen on")

    def stop(self):
        if self._engine:
            self._engine.stop()

    def command(self, *arguments):
        return [self.CLIENT, "-H", f"unix://{self.socket}", *arguments]

    def run_image(self, image):
        return self("run", "--rm", "--network", "none", image).stdout


class Podman(Engine):
    """podman as root, with its storage in a directory, whose name has to be
    short: podman takes no --runroot of more than 50 characters.

    crun wants the unified cgroup hierarchy; a private mount namespace gives it
    one also where the machine still has the hybrid.
    """

    DRIVER = "vfs"

    PRIVATE = ("unshare", "--mount", "sh", "-c",
               'mount -t cgroup2 none /sys/fs/cgroup && exec "$@"', "sh")

    def command(self, *arguments):
        return [*self.PRIVATE, "podman", *self.storage(),
                "--tmpdir", self.directory / "tmp",
                "--cgroup-manager", "cgroupfs", "--events-backend", "file",
                *arguments]

    def storage(self):
        """The options by which buildah, too, finds the images."""
        return ["--root", self.directory / "root",
                "--runroot", self.directory / "run",
                "--storage-driver", self.DRIVER]

    def run(self, *what):
        return self("run", "--rm", "--network", "none",
                    "--cgroups", "disabled", "--ulimit", "nofile=1024:1024",
                    "--ulimit", "nproc=4096:4096", *what)

    def run_image(self, image):
        return self.run(image).stdout

    def wait(self):
        """What removes a container runs on when `podman run` has ended."""
        wait_until(lambda: not somebody_runs_with(self.directory), "podman")
