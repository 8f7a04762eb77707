# SPDX-License-Identifier: Apache-2.0
"""Fixtures. A registry starts in a twentieth of a second, so every test has one
of its own and nothing that another test left behind can matter."""

import itertools
import os
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from registry.proxy import Proxy
from registry.server import DockerRegistry
from support.daemon import (
    Mount, discard_mount, find_binary, is_sanitized)
from support.engines import Docker, Podman, make_rootfs
from support.home import Home
from support.layers import image_of
from support.system import (
    OtherUser, everyone_may_use_fuse, quick_disk, run)

SOURCE = Path(__file__).resolve().parents[2]
MOTD = "hello from the image\n"


def pytest_configure(config):
    """Once, however many processes share the tests."""
    if hasattr(config, "workerinput"):
        return
    if not os.path.exists("/dev/fuse"):
        pytest.exit("there is no /dev/fuse: load the kernel's fuse module", 2)
    whole_run = ExitStack()
    whole_run.enter_context(everyone_may_use_fuse())
    config.add_cleanup(whole_run.close)


# Those that take longest come first, so that no process has one of them to do
# while the others have ended.
LONG = ["test_layer_limits", "test_faults", "test_mirror_again",
        "test_index_damage", "test_small_disk", "test_push_compression",
        "test_tree_verify", "test_push_tools", "test_part_copies",
        "test_mirror", "test_tree_peers", "test_tree_lazy", "test_away",
        "test_odd_removals", "test_push_names", "test_large_windows"]


def pytest_collection_modifyitems(items):
    order = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(LONG)))


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """A shell starts what runs in its background with SIGINT ignored, and the
    tools that the tests interrupt would inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def binary():
    found = find_binary(SOURCE)
    if not found:
        pytest.exit("registryfs is not built: set REGISTRYFS_BIN", 2)
    return found


@pytest.fixture(scope="session")
def plain_binary(binary, tmp_path_factory):
    """A build whose memory use is the program's own and not a sanitizer's."""
    if "REGISTRYFS_PLAIN_BIN" in os.environ:
        return Path(os.environ["REGISTRYFS_PLAIN_BIN"])
    if not is_sanitized(binary):
        return binary
    build = tmp_path_factory.mktemp("plain")
    run("meson", "setup", build, SOURCE, "--buildtype=debugoptimized")
    run("meson", "compile", "-C", build, "fs/registryfs", timeout=600)
    return build / "fs/registryfs"


@pytest.fixture
def make_registry(tmp_path):
    """Starts registries: make_registry(auth=…, certificate=…, storage=…)."""
    numbers = itertools.count(1)
    with ExitStack() as running:
        def start(storage=None, **options):
            storage = storage or running.enter_context(
                tempfile.TemporaryDirectory(dir=quick_disk(tmp_path),
                                            prefix="registry-"))
            return running.enter_context(DockerRegistry(
                tmp_path / f"registry-{next(numbers)}", storage=storage,
                **options))
        yield start


@pytest.fixture
def registry(make_registry):
    """Debian's docker-registry, empty, without authentication."""
    return make_registry()


@pytest.fixture
def client(registry):
    return registry.client()


@pytest.fixture
def proxy_of():
    """Puts a proxy before a registry."""
    with ExitStack() as running:
        yield lambda registry: running.enter_context(Proxy(registry.address))


@pytest.fixture
def proxy(registry, proxy_of):
    """In front of `registry`: counts exactly, and breaks what it is told to."""
    return proxy_of(registry)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture(scope="session")
def other_user():
    user = OtherUser()
    yield user
    user.remove()


@pytest.fixture
def mount(binary, tmp_path, home):
    """Mounts: mount(registry, "option=…", …), where a registry is that, a
    proxy, an address, or a list of them. Each mount is unmounted after the
    test, and the test fails by what its daemon said."""
    numbers = itertools.count(1)
    mounts = []

    def start(registry, *options, directory=None, program=binary, **more):
        directory = directory or tmp_path / f"mount-{next(numbers)}"
        if not isinstance(registry, (list, tuple)):
            registry = [registry]
        sources = [getattr(one, "address", one) for one in registry]
        mounts.append(Mount(program, sources, directory, more.pop("home", home),
                            options=options, **more))
        return mounts[-1]

    yield start
    faults = []
    for started in reversed(mounts):
        try:
            started.unmount()
        except AssertionError as fault:
            faults.append(str(fault))
        discard_mount(started.path)
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory):
    """A root file system whose program prints MOTD."""
    return make_rootfs(tmp_path_factory.mktemp("image") / "rootfs", MOTD)


@pytest.fixture(scope="session")
def docker(tmp_path_factory):
    engine = Docker(tmp_path_factory.mktemp("docker"))
    try:
        engine.start()
        yield engine
    except (OSError, RuntimeError, TimeoutError) as failure:
        pytest.skip(f"the docker engine does not start here: {failure}")
    finally:
        engine.stop()


@pytest.fixture
def podman():
    with tempfile.TemporaryDirectory(prefix="podman-") as directory:
        podman = Podman(directory)
        yield podman
        podman.wait()


# The name under which the engines below have the root file system's image.
APP = "localhost/app:2.0"


@pytest.fixture(scope="session")
def docker_with_app(docker, rootfs):
    docker.import_rootfs(rootfs, APP)
    return docker


@pytest.fixture(scope="session")
def podman_with_app(rootfs):
    with tempfile.TemporaryDirectory(prefix="podman-") as directory:
        podman = Podman(directory)
        podman.import_rootfs(rootfs, APP)
        yield podman


@pytest.fixture
def mounted(mount, proxy):
    """A registry that can be made to misbehave."""
    return mount(proxy)


@pytest.fixture
def app(mounted):
    """A repository that exists from its first push on."""
    directory = mounted / "app"
    directory.mkdir()
    return directory


@pytest.fixture
def new(app):
    """A scratch directory."""
    path = app / ".new"
    path.mkdir()
    return path


@pytest.fixture
def shown(mount, proxy, client):
    """The directory of an image, mounted: shown(layer or its entries, …)."""
    def show(*layers, options=(), **config):
        image_of(*layers, **config).push(client, "app", "1.0")
        return mount(proxy, *options) / "app/1.0"
    return show


@pytest.fixture
def look(mount, registry, client):
    """Pushes an image as app:1.0, and gives its directory in a new mount."""
    def push(manifest):
        manifest.push(client, "app", "1.0")
        return mount(registry) / "app/1.0"
    return push
