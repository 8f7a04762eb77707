# SPDX-License-Identifier: Apache-2.0
"""What programs mean by the same system calls, and are answered accordingly."""

import os

import pytest

from support.layers import image_of
from support.system import run
from support.tags import (  # deleting and root are fixtures
    IMAGE, deleting, digests, root, shell)
from support.tars import directory, file

OWNED = image_of([directory("./", mode=0o700, uid=1234, gid=5678),
                  file("motd", b"1\n")])


# tar --remove-files of what it need not read.

REMOVALS = ["tar -cf /dev/null --remove-files 1.0.tar",
            "tar --remove -cf /dev/null 1.0.tar"]


@pytest.mark.parametrize("command", REMOVALS)
def test_tar_removes_a_tag(deleting, command):
    root, client, _ = deleting
    shell(root / "app", command)
    assert "1.0" not in client.tags("app")
    assert not (root / "app/1.0").exists()


@pytest.mark.parametrize("command", REMOVALS)
def test_tar_is_refused_the_removal_of_a_tag(root, client, command):
    root.expect_error("-o delete")
    result = shell(root / "app", command, check=False)
    assert result.returncode != 0
    assert digests(client, "app")["1.0"] == IMAGE.digest


# The attributes of directories in layers, in a mount that knows none of them.

@pytest.mark.parametrize("script, shown", [
    ("busybox cp -a 1.0 {0}/copy", "stat -c '%a %u:%g' {0}/copy/{1}"),
    ("busybox tar -c 1.0 >{0}/tar",
     "tar -tvf {0}/tar --numeric-owner 1.0/{1} --no-recursion")])
@pytest.mark.parametrize("part", ["layers/01", "rootfs"])
def test_busybox_records_them(mount, registry, client, tmp_path, script, shown,
                              part):
    OWNED.push(client, "app", "1.0")
    app = mount(registry) / "app"
    shell(app, script.format(tmp_path))
    said = run("sh", "-c", shown.format(tmp_path, part)).stdout
    assert said.split()[:2] in (["700", "1234:5678"],
                                ["drwx------", "1234/5678"])


# Programs that list a part after they have made its copy, for their own ends.

def test_a_list_is_whole_for_others(root):
    source, target = root / "app/1.0", root / "app/2.0"
    result = run("python3", "-c", f"""
import os, shutil
os.mkdir("{target}")
shutil.copy("{source}/manifest.json", "{target}")
os.mkdir("{target}/layers")
print(*sorted(os.listdir("{source}/layers")))
shutil.copy("{source}/image.tar", "{target}")
""")
    assert result.stdout.split() == ["01", "01.tar.gz", "02", "02.tar.gz"]
    assert os.getxattr(target, "user.oci.digest").decode() == IMAGE.digest
