# SPDX-License-Identifier: Apache-2.0
"""report.html: what the layers of an image do to each other, as a page that a
browser shows and that can do nothing."""

import html.parser
import io
import json
import os
import re
import tarfile

import pytest

from support.images import (
    OCI_CONFIG, OCI_GZIP_LAYER, OCI_MANIFEST, Blob, Manifest, compressed,
    config_of, index_of, linux, oci_image)
from support.referrers import SPDX, fallback_tag, listed, referrer_of
from support.system import run


def layer(*entries):
    """Of (name, size of a file, or None: a directory)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, size in entries:
            member = tarfile.TarInfo(name)
            if size is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(member)
            else:
                member.size = size
                tar.addfile(member, io.BytesIO(bytes(size)))
    return Blob(OCI_GZIP_LAYER, compressed(out.getvalue()))


def built(*layers, history=(), **config):
    document = json.loads(config_of(layers))
    document["history"] = list(history)
    document["config"] = config
    config = Blob(OCI_CONFIG, json.dumps(document).encode())
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                "config": config.descriptor(),
                "layers": [layer.descriptor() for layer in layers]}
    return Manifest(OCI_MANIFEST, json.dumps(manifest).encode(),
                    blobs=(config, *layers))


class Page(html.parser.HTMLParser):
    """The text of each section, by its heading; a table's as rows."""

    def __init__(self, text):
        super().__init__()
        self.headings, self.rows, self.tags, self.cards = [], {}, set(), []
        self._text = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag in ("td", "th", "h1", "h2", "p", "li"):
            self._text = ""
        if tag == "tr":
            self.rows.setdefault(self.headings[-1], []).append([])

    def handle_data(self, data):
        if self._text is not None:
            self._text += data

    def handle_endtag(self, tag):
        if tag in ("h1", "h2"):
            self.headings.append(self._text)
        elif tag in ("td", "th"):
            self.rows[self.headings[-1]][-1].append(self._text)
        elif tag == "li":
            self.cards.append(self._text)
        if tag in ("td", "th", "h1", "h2", "p", "li"):
            self._text = None


def report(directory):
    return Page((directory / "report.html").read_text())


LAYERS = (
    layer(("etc", None), ("etc/a", 100), ("etc/b", 200), ("var", None),
          ("var/x", 3000), ("var/y", 50)),
    layer(("etc/a", 70), ("etc/.wh.b", 0), ("usr", None), ("usr/c", 10)),
    layer((".wh.var", 0), ("usr/c", 40)))


def test_what_layers_do_to_each_other(look):
    directory = look(built(*LAYERS, history=[
        {"created_by": f"RUN {i}"} for i in range(3)]))
    os.listdir(directory / "rootfs")
    page = report(directory)
    assert [row[:1] + row[3:] for row in page.rows["Layers"][1:]] == [
        ["01", "RUN 0", "3.35kB", "4", "0", "0", "0B"],
        ["02", "RUN 1", "80B", "1", "1", "1", "300B"],
        ["03", "RUN 2", "40B", "0", "1", "2", "3.06kB"]]
    assert page.rows["Largest files"][1:] == [["70B", "/etc/a"],
                                              ["40B", "/usr/c"]]
    assert page.rows["Hidden by upper layers"][1:] == [
        ["3kB", "/var/x"], ["200B", "/etc/b"], ["100B", "/etc/a"],
        ["50B", "/var/y"], ["10B", "/usr/c"]]
    assert "3.36kBhidden by upper layers" in page.cards
    assert "2files" in page.cards


def dive_efficiency(*layers):
    """As dive/filetree/efficiency.go adds it up, of a list of {path: size} a
    layer, where a whiteout has no bytes, or those of the directory's files."""
    sizes = {}
    for files in layers:
        for path, size in files.items():
            sizes.setdefault(path, []).append(size)
    return (sum(min(each) for each in sizes.values()) /
            sum(sum(each) for each in sizes.values()))


def test_the_efficiency_is_the_one_that_dive_prints(look):
    directory = look(built(*LAYERS))
    os.listdir(directory / "rootfs")
    efficiency = dive_efficiency(
        {"etc/a": 100, "etc/b": 200, "var/x": 3000, "var/y": 50},
        {"etc/a": 70, "etc/b": 0, "usr/c": 10},
        {"var": 3050, "usr/c": 40})
    assert f"{100 * efficiency:.1f} %efficiency" in report(directory).cards


def test_no_layer_is_read_for_it(look, registry):
    directory = look(built(*LAYERS))
    with registry.requests() as requests:
        text = (directory / "report.html").read_text()
    blobs = [each for each in requests if "/blobs/" in each.path]
    assert len(blobs) == 1
    assert "3 of 3 layers have not been read yet" in text
    page = Page(text)
    assert [row[4:] for row in page.rows["Layers"][1:]] == [["~"] * 5] * 3
    assert "Largest files" not in page.rows


def test_steps_that_nobody_can_pair_with_layers(look):
    directory = look(built(*LAYERS, history=[{"created_by": "make"}]))
    page = report(directory)
    rows = page.rows["Layers"][1:]
    assert [row[0] for row in rows] == ["?", "01", "02", "03"]
    assert "nobody can say which made which" in (
        (directory / "report.html").read_text())


def test_how_it_is_run(look):
    page = report(look(built(
        *LAYERS, Entrypoint=["/bin/app", "-v"], Cmd=["serve me"], User="me",
        WorkingDir="/srv", StopSignal="SIGINT", ExposedPorts={"80/tcp": {}},
        Volumes={"/data": {}}, Env=["A=b", "C=d e"], Labels={"x": "y z"})))
    assert page.rows["How it is run"][1:] == [
        ["Entrypoint", "/bin/app"], ["", "-v"], ["Command", "serve me"],
        ["User", "me"], ["Working directory", "/srv"],
        ["Stop signal", "SIGINT"], ["Ports", "80/tcp"], ["Volumes", "/data"],
        ["Environment", "A=b"], ["", "C=d e"]]
    assert page.rows["Labels"][1:] == [["x", "y z"]]


@pytest.mark.parametrize("config", [
    {"Env": "A=b", "Cmd": {"a": 1}, "User": 5, "Labels": ["x"],
     "ExposedPorts": None, "Volumes": 1},
    {"Env": [1, None, "A=b"], "Labels": {"x": 1, "y": "z"}}])
def test_settings_of_other_types_are_left_out(look, config):
    directory = look(built(*LAYERS, **config))
    assert "How it is run" in report(directory).headings


def test_an_index_has_platforms(look):
    images = [(built(*LAYERS), linux("amd64")),
              (oci_image(architecture="arm64"), linux("arm64"))]
    page = report(look(index_of(images)))
    assert [(row[0], row[2]) for row in page.rows["Platforms"][1:]] == [
        ("linux/amd64", images[0][0].digest),
        ("linux/arm64", images[1][0].digest)]


def test_no_referrers(look):
    assert "Referrers" not in report(look(built(*LAYERS))).headings


def test_referrers_are_listed(mount, registry, client):
    image = built(*LAYERS).push(client, "app", "1.0")
    sbom = referrer_of(image)
    listed(sbom).push(client, "app", fallback_tag(image))
    rows = report(mount(registry) / "app/1.0").rows["Referrers"][1:]
    assert [(row[0], row[2]) for row in rows] == [(SPDX, sbom.digest)]


def browse(page, script=""):
    """What a browser makes of a page, with scripts on: its title afterwards.
    Without the page's policy, so that its text has to be harmless alone."""
    text = page.read_text()
    assert text.count("Content-Security-Policy") == 1
    text = re.sub(r"<meta http-equiv=[^>]*>\n", "", text, count=1)
    page.write_text(text.replace("</body>",
                                 f"<script>{script}</script></body>"))
    shown = run("chromium", "--headless", "--no-sandbox", "--disable-gpu",
                "--window-size=390,800", "--virtual-time-budget=2000",
                f"--user-data-dir={page.parent}/chromium", "--dump-dom",
                page.as_uri()).stdout
    return re.search(r"<title>(.*?)</title>", shown, re.S)[1], shown


HOSTILE = "<img src=x onerror=\"document.title='run'\"><script>" \
          "document.title='run'</script>'\"></td></table>&lt;\u202e\x1b[31m"


@pytest.fixture
def hostile(look, tmp_path):
    """The report of an image of which every text is markup."""
    name = HOSTILE.replace("/", "\\")
    directory = look(built(
        layer((name, 10000), (f"{name}d/x", 9000)), layer((name, 5)),
        history=[{"created_by": HOSTILE}, {"created_by": f"RUN {HOSTILE}"},
                 {"created_by": HOSTILE, "empty_layer": True}],
        Entrypoint=[HOSTILE], Cmd=[HOSTILE], User=HOSTILE, Env=[HOSTILE],
        Labels={HOSTILE: HOSTILE}, ExposedPorts={HOSTILE: {}},
        Volumes={HOSTILE: {}}, WorkingDir=HOSTILE, StopSignal=HOSTILE))
    os.listdir(directory / "rootfs")
    page = tmp_path / "report.html"
    page.write_text((directory / "report.html").read_text())
    return page


def test_nothing_that_an_image_says_is_run(hostile):
    title, shown = browse(hostile, "document.body.dataset.ran = 'yes'")
    assert 'data-ran="yes"' in shown  # scripts are on
    assert title.endswith("/app:1.0")
    assert "<img" not in shown
    assert shown.count("&lt;script&gt;") >= 10


def test_the_page_fits_a_telephone(hostile):
    _, shown = browse(hostile, """
        document.body.dataset.width = document.documentElement.scrollWidth""")
    assert int(re.search(r'data-width="(\d+)"', shown)[1]) <= 500


def test_it_loads_nothing(look):
    text = (look(built(*LAYERS)) / "report.html").read_text()
    assert "default-src 'none'" in text
    page = Page(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"(?:src|href|url)\s*[=(]", text)


def test_a_layer_that_is_large_in_names(look):
    """What is ranked is bounded: the rest is added up."""
    directory = look(built(layer(*((f"d{i}/f", i) for i in range(1, 301)))))
    os.listdir(directory / "rootfs")
    page = report(directory)
    assert page.rows["Largest files"][1:] == [
        [f"{i}B", f"/d{i}/f"] for i in range(300, 280, -1)]
    text = (directory / "report.html").read_text()
    assert "all others: " in text
    assert text.count("<rect") == 41


def test_no_layers(look):
    page = report(look(oci_image(scratch=True)))
    assert "0layers" in page.cards
    assert "100.0 %efficiency" in page.cards
