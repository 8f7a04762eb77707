# SPDX-License-Identifier: Apache-2.0
"""How a mount begins and ends."""

import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from registry.faults import Hold
from registry.process import wait_until
from support.daemon import discard_mount
from support.images import layer_of_size, oci_image
from support.system import mount_entry, run


def daemons_of(mountpoint):
    """The processes that serve a mount point, found by their arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it ended meanwhile
        if os.fsencode(mountpoint) in arguments:
            found.append(int(process.name))
    return found


def test_in_the_background(binary, home, registry, client, tmp_path):
    oci_image().push(client, "app", "1.0")
    mountpoint = tmp_path / "mnt"
    mountpoint.mkdir()
    try:
        # run() reads the output to its end: a daemon that kept its caller's
        # pipes would be waited for in vain.
        result = run(binary, "-o", f"cache={tmp_path}/cache",
                     registry.address, mountpoint, env=home.environment(),
                     timeout=30)
        assert result.stdout == result.stderr == ""
        assert os.listdir(mountpoint) == ["app"]
        run("fusermount3", "-u", mountpoint)
        wait_until(lambda: not daemons_of(mountpoint), "the daemon's end")
    finally:
        discard_mount(mountpoint)


def test_relative_paths_survive_going_to_the_background(
        binary, home, registry, client, tmp_path):
    image = oci_image().push(client, "app", "1.0")
    (tmp_path / "mnt").mkdir()
    try:
        run(binary, "-o", "cache=cache", registry.address, "mnt",
            env=home.environment(), cwd=tmp_path)
        manifest = tmp_path / "mnt/app/1.0/manifest.json"
        assert manifest.read_bytes() == image.data
        assert (tmp_path / "cache").is_dir()
        run("fusermount3", "-u", tmp_path / "mnt")
    finally:
        discard_mount(tmp_path / "mnt")


def test_the_limit_of_open_files_is_raised(mount, registry):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard // 2, hard))
    try:
        root = mount(registry)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert resource.prlimit(root.pid, resource.RLIMIT_NOFILE) == (hard, hard)


def test_mount_table(mount, registry):
    entry = mount_entry(mount(registry).path)
    assert entry.fstype == "fuse.registryfs"
    assert entry.source == registry.address
    assert {"nosuid", "nodev", "rw"} <= entry.options


def test_suid_and_dev_from_mount_fuse_are_not_obeyed(mount, registry):
    # mount.fuse3 adds both where root does not forbid them.
    entry = mount_entry(mount(registry, "rw", "dev", "suid").path)
    assert {"nosuid", "nodev"} <= entry.options


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(mount, registry, signum):
    started = mount(registry)
    started.signal(signum)
    started.finish()


def test_a_hangup_is_not_the_end(mount, registry, client):
    oci_image().push(client, "app", "1.0")
    root = mount(registry)
    for _ in range(2):
        root.signal(signal.SIGHUP)
    root.wait_for_log("SIGHUP")
    assert os.listdir(root.path) == ["app"]
    root.signal(signal.SIGTERM)
    root.finish()


@pytest.mark.parametrize("command", [["fusermount3", "-u"], ["umount"]])
def test_unmounting_ends_it(mount, registry, command):
    started = mount(registry)
    run(*command, started.path)
    started.finish()


def test_a_busy_mount_is_not_unmounted(mount, registry, client):
    oci_image().push(client, "app", "1.0")
    started = mount(registry)
    with open(started / "app/1.0/manifest.json", "rb"):
        result = run("fusermount3", "-u", started.path, check=False)
        assert result.returncode != 0
        assert "busy" in result.stderr
    assert os.listdir(started.path) == ["app"]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_during_a_transfer(mount, proxy, client, signum):
    layer = layer_of_size(1 << 20)
    oci_image(layer).push(client, "app", "1.0")
    hold = Hold(at=300_000)
    proxy.sends("/blobs/" + layer.digest, hold)
    started = mount(proxy, "timeout=2")
    # Whether the reader is told depends on how far its request has come.
    started.allow_error("shutting down")
    reader = subprocess.Popen(["cat", started / "app/1.0/layers/01.tar.gz"],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    hold.wait_reached()
    started.signal(signum)
    assert reader.wait(30) != 0
    started.finish()
    hold.release()


def test_the_dead_mount_of_a_crash_is_replaced(mount, registry, client):
    oci_image().push(client, "app", "1.0")
    first = mount(registry)
    first.kill()
    with pytest.raises(OSError):
        os.listdir(first.path)
    second = mount(registry, mountpoint=first.path)
    assert os.listdir(second.path) == ["app"]


def test_a_daemon_ends_its_own_mount_only(mount, registry, client):
    """Unmounted lazily with a file open, it lives on; the path is another's."""
    oci_image().push(client, "app", "1.0")
    old = mount(registry)
    with open(old / "app/1.0/manifest.json", "rb"):
        run("fusermount3", "-uz", old.path)
        new = mount(registry, mountpoint=old.path)
        old.signal(signal.SIGTERM)
        old.wait_for_end()
        assert new.is_mounted()
        assert os.listdir(new.path) == ["app"]
    new.unmount()


def test_two_mounts_of_one_registry(mount, registry, client):
    image = oci_image().push(client, "app", "1.0")
    for started in (mount(registry), mount(registry)):
        assert (started / "app/1.0/manifest.json").read_bytes() == image.data


def test_a_namespace_can_be_mounted(mount, registry, client):
    image = oci_image().push(client, "team/app", "1.0")
    oci_image().push(client, "other", "1.0")
    started = mount(f"{registry.address}/team")
    assert os.listdir(started.path) == ["app"]
    assert (started / "app/1.0/manifest.json").read_bytes() == image.data


def test_read_only(mount, registry, client):
    oci_image().push(client, "app", "1.0")
    started = mount(registry, "ro")
    assert "ro" in mount_entry(started.path).options
    result = run("touch", started / "app/2.0.tar", check=False)
    assert "Read-only file system" in result.stderr


@pytest.mark.parametrize("command", [
    "echo x >{app}/2.0.tar", "mkdir {app}/new", "ln -s 1.0 {app}/2.0",
    "mv {app}/1.0 {app}/2.0", "rmdir {app}/1.0", "rm {app}/1.0.tar",
    "echo x | tee {app}/1.0/config.json", "echo x | tee -a {app}/1.0.tar",
    "touch {app}/1.0/rootfs/etc/motd", "truncate -s 0 {app}/1.0.tar",
    "setfattr -n user.oci.annotation.a -v b {app}/1.0"])
def test_read_only_is_not_lifted_by_the_kernel(mount, registry, client,
                                               command):
    image = oci_image().push(client, "app", "1.0")
    started = mount(registry, "ro,delete=recursive")
    app = started / "app"
    run("mount", "-i", "-o", "remount,rw", started.path)
    assert "rw" in mount_entry(started.path).options
    result = run("sh", "-c", command.format(app=app), check=False)
    assert result.returncode != 0
    assert "Read-only file system" in result.stderr
    assert client.tags("app") == ["1.0"]
    assert (app / "1.0/manifest.json").read_bytes() == image.data


def test_only_the_owner_may_enter(mount, registry, other_user):
    started = mount(registry, directory=other_user.new_directory())
    result = other_user.run("ls", started.path, check=False)
    assert "Permission denied" in result.stderr


def test_allow_other(mount, registry, client, other_user):
    oci_image().push(client, "app", "1.0")
    started = mount(registry, "allow_other",
                    directory=other_user.new_directory())
    assert other_user.run("ls", started.path).stdout == "app\n"


def test_as_a_user_without_rights(mount, binary, registry, client,
                                  other_user):
    image = oci_image().push(client, "app", "1.0")
    started = mount(registry, directory=other_user.new_directory(),
                    program=other_user.copy_in(binary), user=other_user)
    manifest = started / "app/1.0/manifest.json"
    assert other_user.run("cat", manifest).stdout == image.data.decode()
    owner = other_user.run("stat", "-c", "%u", manifest).stdout
    assert int(owner) == other_user.uid
    other_user.run("fusermount3", "-u", started.path)
    started.finish()


MOUNT_BY_TYPE = """
set -e
mount -t overlay -o "lowerdir=$HELPERS:/usr/sbin" overlay /usr/sbin
{command}
cat "$MOUNTPOINT/app/1.0/manifest.json"
grep " $MOUNTPOINT " /proc/self/mountinfo >&2
umount "$MOUNTPOINT"
"""


@pytest.fixture
def mount_helper(binary, tmp_path):
    """A directory with mount.fuse.registryfs as an installation has it."""
    helpers = tmp_path / "sbin"
    helpers.mkdir()
    (helpers / "mount.fuse.registryfs").symlink_to(binary)
    return helpers


@pytest.mark.parametrize("command", [
    'mount -t fuse.registryfs -o "cache=$CACHE" "$SOURCE" "$MOUNTPOINT"',
    'mount --fstab "$FSTAB" "$MOUNTPOINT"'], ids=["mount -t", "fstab"])
def test_mount_and_umount(mount_helper, home, registry, client, tmp_path,
                          command):
    """In a mount namespace of its own, where mount(8) finds the helper."""
    image = oci_image().push(client, "app", "1.0")
    mountpoint = tmp_path / "mnt"
    mountpoint.mkdir()
    fstab = tmp_path / "fstab"
    fstab.write_text(f"{registry.address} {mountpoint} fuse.registryfs "
                     f"noauto,user,_netdev,x-systemd.automount,"
                     f"cache={tmp_path}/cache 0 0\n")
    result = run(
        "unshare", "--mount", "sh", "-c",
        MOUNT_BY_TYPE.format(command=command),
        env=home.environment(
            HELPERS=str(mount_helper), SOURCE=registry.address,
            MOUNTPOINT=str(mountpoint), CACHE=str(tmp_path / "cache"),
            FSTAB=str(fstab)))
    assert result.stdout == image.data.decode()
    assert "fuse.registryfs" in result.stderr
    assert "nosuid,nodev" in result.stderr
    wait_until(lambda: not daemons_of(mountpoint), "the daemon's end")
