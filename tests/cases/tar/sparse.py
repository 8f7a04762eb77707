# SPDX-License-Identifier: Apache-2.0
"""The cases with sparse files: as GNU tar writes them, and built by hand."""
import os
import subprocess
import tempfile

from blocks import (END, GNU, V7, attribute, bad, block, file, line, listing,
                    padded, pax, record, save, sparse, xattrs)


def make_sparse_files(directory):
    """More pieces than a header and a block of map can name; a hole; data up
    to an end that is no block's."""
    for name, pieces, size in (
            ("hole", (), 1 << 20), ("end", (40960,), 40963),
            ("pieces", (range(0, 30 << 13, 1 << 13)), 1 << 18)):
        with open(os.path.join(directory, name), "wb") as f:
            for offset in pieces:
                f.seek(offset)
                f.write(b"%-512d" % offset)
            f.truncate(size)


def by_gnu_tar(name, *options):
    with tempfile.TemporaryDirectory() as directory:
        make_sparse_files(directory)
        data = bytearray(subprocess.run(
            ["tar", "-cS", "-b1", "--sort=name", "--hole-detection=raw",
             "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner",
             "--mode=0644", *options, "-C", directory,
             "end", "hole", "pieces"], check=True, capture_output=True).stdout)
    # The writer's process id is in the name that readers are not to use.
    for at in range(0, len(data), 512):
        if b"/GNUSparseFile." in data[at:at + 100]:
            header = block(b"GNUSparseFile.0/s", bytes(data[at + 124:at + 136]))
            data[at:at + 512] = header
    save(name, data, listing(data))


def real_sparse():
    exthdr = "--pax-option=exthdr.name=pax,delete=atime,delete=ctime"
    by_gnu_tar("sparse-gnu-tar", "--format=gnu")
    for version in "0.0", "0.1", "1.0":
        by_gnu_tar("sparse-gnu-tar-" + version, "--format=posix", exthdr,
                   "--sparse-version=" + version)


def numbers(pairs):
    return [n if isinstance(n, bytes) else b"%d" % n for p in pairs for n in p]


def field(n):
    """Twelve bytes; what octal cannot say in base 256."""
    if isinstance(n, bytes):
        return n.ljust(12, b"\0")
    if 0 <= n < 1 << 33:
        return b"%011o\0" % n
    return ((n + (1 << 95) if n >= 0 else n + (1 << 96))).to_bytes(12, "big")


def old_gnu(size, stored, pairs, blocks=(), continues=None, magic=GNU):
    """A header with pairs and a block for each of `blocks`."""
    def fields(pairs):
        return b"".join(field(n) for p in pairs for n in p)

    head = block(b"s", stored, b"S", magic, a386=fields(pairs),
                 a482=b"\1" if blocks or continues else b"\0",
                 a483=field(size))
    for i, pairs in enumerate(blocks):
        more = b"\1" if i + 1 < len(blocks) else b"\0"
        head += fields(pairs).ljust(504, b"\0") + more + bytes(7)
    return head


def pax_0(size, stored, pairs, count=None, version=b"", map=None, name=b"s"):
    """Version 0.1 with the map as one record."""
    return pax(
        version + (b"" if size is None else record(b"GNU.sparse.size", size))
        + record(b"GNU.sparse.numblocks",
                 b"%d" % len(pairs) if count is None else count)
        + record(b"GNU.sparse.map",
                 b",".join(numbers(pairs)) if map is None else map)
        + record(b"GNU.sparse.name", name)) + block(b"p", stored)


def pax_00(records, stored, size=b"100"):
    """Version 0.0; records: what follows GNU.sparse. and the value."""
    return pax(record(b"GNU.sparse.size", size) + b"".join(
        record(b"GNU.sparse." + k, v) for k, v in records)) + block(
            b"s", stored)


VERSION_1 = record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.minor",
                                                       b"0")


def pax_1(size, stored, map, name=b"s"):
    """Version 1.0; stored: what is behind the padded map."""
    map = padded(map)
    return pax(VERSION_1 + (b"" if size is None else
                            record(b"GNU.sparse.realsize", size))
               + record(b"GNU.sparse.name", name)) + block(
                   b"p", len(map) + stored) + map


def lines(*pairs):
    return b"".join(n + b"\n" for n in [b"%d" % len(pairs)] + numbers(pairs))


def save_sparse(name, head, stored, size, pairs, entry="s"):
    body = padded(bytes(i % 255 + 1 for i in range(stored)))
    data = head + body + file(b"f", b"x") + END
    save(name, data, line("0", entry, len(head), stored)
         + sparse(size, *pairs) + line("0", "f", len(head + body) + 512, 1)
         + f"end {len(data)}\n")


def good_sparse():
    two = [(0, 3), (512, 5)]
    # The header's own pairs can all be missing, and empty ones mean nothing.
    save_sparse("sparse-gnu", old_gnu(600, 8, two), 8, 600, two)
    save_sparse("sparse-gnu-blocks", old_gnu(
        600, 8, [], [[], [(0, 3), (3, 0)], [(512, 5), (600, 0)]]), 8, 600, two)
    save_sparse("sparse-gnu-behind-last", old_gnu(
        600, 3, [(0, 3), (b"", 9), (512, 5)]), 3, 600, two[:1])
    save_sparse("sparse-gnu-hole", old_gnu(600, 0, []), 0, 600, [])
    save_sparse("sparse-gnu-huge", old_gnu((1 << 63) - 1, 1, [(1 << 62, 1)]),
                1, (1 << 63) - 1, [(1 << 62, 1)])
    save_sparse("sparse-gnu-adjacent", old_gnu(8, 8, [(0, 3), (3, 5)]), 8, 8,
                [(0, 3), (3, 5)])
    head = pax(attribute("user.a", b"1") + record(b"size", b"3"))
    save("sparse-gnu-pax", head + old_gnu(9, 7, [(1, 3)]) + padded(b"abc")
         + END, line("0", "s", 1536, 3) + sparse(9, (1, 3))
         + xattrs({"user.a": b"1"}) + "end 3072\n")
    records = [(b"numblocks", b"2"), (b"offset", b"0"), (b"numbytes", b"3"),
               (b"offset", b"512"), (b"numbytes", b"5")]
    save_sparse("sparse-pax-0.0", pax_00(records, 8, b"600"), 8, 600, two)
    save_sparse("sparse-pax-0.0-and-map", pax_00(
        [(b"map", b"1,2")] + records, 8, b"600"), 8, 600, two)
    save_sparse("sparse-pax-0.1", pax_0(b"600", 8, two), 8, 600, two)
    save_sparse("sparse-pax-0.1-no-size", pax_0(None, 8, [(0, 8)]), 8, 8,
                [(0, 8)])
    save_sparse("sparse-pax-0.1-version", pax_0(
        b"600", 0, [], version=record(b"GNU.sparse.major", b"0")
        + record(b"GNU.sparse.minor", b"1")), 0, 600, [])
    save_sparse("sparse-pax-1.0", pax_1(b"600", 8, lines(*two)), 8, 600, two)
    save_sparse("sparse-pax-1.0-no-size", pax_1(None, 8, lines((0, 8))), 8,
                520, [(0, 8)])
    save_sparse("sparse-pax-1.0-hole", pax_1(b"600", 0, lines()), 0, 600, [])
    many = [(2 * i, 1) for i in range(100)]
    save_sparse("sparse-pax-1.0-blocks", pax_1(b"600", 100, lines(*many)), 100,
                600, many)
    # A map that ends with its block: no padding, and no other block.
    save_sparse("sparse-pax-1.0-block", pax_1(
        b"600", 8, b"000000002\n" + b"0\n3\n512\n" + b"%0493d\n" % 5), 8, 600,
        two)


def odd_sparse():
    """What is not sparse, or not known."""
    unknown = (record(b"GNU.sparse.major", b"2")
               + record(b"GNU.sparse.minor", b"0")
               + record(b"GNU.sparse.name", b"s")
               + record(b"GNU.sparse.realsize", b"9"))
    save_sparse("sparse-unknown", pax(unknown) + block(b"p", 5), 5, 5,
                [(0, 5)], "p")
    save_sparse("sparse-unknown-empty", pax(unknown) + block(b"p"), 0, 0, [],
                "p")
    save_sparse("sparse-half-version", pax(
        record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.map", b"0,5"))
        + block(b"p", 5), 5, 5, [(0, 5)], "p")
    save("sparse-unknown-directory", pax(unknown) + file(b"d", type=b"5") + END,
         line("5", "d", 1536) + "end 2560\n")
    # Of a type that nobody knows: a file.
    head = pax(VERSION_1) + block(b"c", 517, b"7") + padded(lines((0, 5)))
    save("sparse-contiguous", head + padded(b"12345") + file(b"f") + END,
         line("0", "c", len(head), 5) + sparse(517, (0, 5))
         + line("0", "f", len(head) + 1024) + f"end {len(head) + 2048}\n")


def bad_sparse():
    map = "the sparse file's map is invalid"
    short = "the sparse file is shorter than its map"
    sums = "the sparse file has more or less data than its map"
    no_map = "the sparse file's map is incomplete"
    wrong = {
        "order": ([(9, 1), (3, 1)], map), "overlap": ([(0, 3), (2, 3)], map),
        "empty-order": ([(9, 0), (3, 2)], map), "end": ([(99, 2)], short),
        "empty-end": ([(0, 2), (101, 0)], short), "less": ([(0, 1)], sums),
        "more": ([(0, 3)], sums), "huge": ([((1 << 63) - 1, 2)], map),
        "negative-offset": ([(-1, 2)], map), "number": ([(b"x", 2)], map),
        "negative-size": ([(8, -2)], map), "none": ([], sums)}
    for name, (pairs, what) in wrong.items():
        bad("bad-sparse-gnu-" + name, old_gnu(100, 2, pairs), what)
        bad("bad-sparse-gnu-block-" + name, old_gnu(100, 2, [], [pairs]), what)
        bad("bad-sparse-pax-0.1-" + name, pax_0(
            b"100", 2, pairs, version=record(b"GNU.sparse.major", b"0")
            + record(b"GNU.sparse.minor", b"0")), what, 1024)
        bad("bad-sparse-pax-1.0-" + name, pax_1(b"100", 2, lines(*pairs)),
            what, 1024)
    two = [(0, 1), (5, 1)]
    bad("bad-sparse-gnu-file-size", old_gnu(b"9", 2, two), map)
    bad("bad-sparse-gnu-file-size-negative", old_gnu(-1, 0, []), short)
    bad("bad-sparse-posix", old_gnu(9, 2, two, magic=b"ustar\x0000"),
        "the sparse file is not in a GNU tar")
    for name, count, text in (
            ("count-none", b"", None), ("count-less", b"1", None),
            ("count-more", b"3", None), ("count-negative", b"-2", None),
            ("odd", b"2", b"0,1,5"), ("comma", b"2", b"0,1,5,1,"),
            ("semicolon", b"2", b"0,1;5,1"), ("space", b"2", b"0, 1,5,1"),
            ("count-huge", b"%d" % ((1 << 63) - 1), None)):
        bad("bad-sparse-pax-0.1-" + name, pax_0(b"9", 2, two, count, map=text),
            map, 1024)
    bad("bad-sparse-pax-0.1-size", pax_0(b"-1", 0, [(0, 0)]), short, 1024)
    for key, value in ((b"map", b"0,2\0"), (b"numblocks", b"x"),
                       (b"offset", b"0,2"), (b"numbytes", b"2"),
                       (b"realsize", b"1k"), (b"major", b"1\0")):
        bad("bad-sparse-pax-" + key.decode(), pax(
            record(b"GNU.sparse." + key, value)),
            "the pax header has an invalid GNU.sparse." + key.decode())
    bad("bad-sparse-pax-0.0-order", pax_00(
        [(b"offset", b"0"), (b"offset", b"5")], 2),
        "the pax header has an invalid GNU.sparse.offset")
    bad("bad-sparse-pax-0.0-odd", pax_00(
        [(b"numblocks", b"1"), (b"offset", b"0")], 2), map, 1024)
    bad("bad-sparse-directory", pax(VERSION_1) + file(b"d", type=b"5"),
        "the sparse file is not a regular file", 1024)
    bad("bad-sparse-v7-directory", pax_0(b"9", 2, two)[:-512]
        + block(b"d/", 2, b"\0", V7),
        "the sparse file is not a regular file", 1024)
    for name, text, what in (
            ("count", b"x\n", map), ("count-empty", b"\n0\n2\n", map),
            ("count-negative", b"-1\n", map), ("nul", b"1\n0\0\n2\n", map),
            ("nul-behind", b"1\n0\n2\0\n", map),
            ("empty-line", b"1\n\n0\n2\n", map),
            ("number-huge", b"1\n0\n9223372036854775808\n", map),
            ("too-long", b"262145\n", "the sparse file's map is too long"),
            ("no-line", b"1" * 512, no_map),
            ("cut-off", b"9\n" + b"0\n0\n" * 8, no_map)):
        bad("bad-sparse-pax-1.0-" + name, pax_1(b"100", 2, text), what, 1024)
    bad("bad-sparse-pax-1.0-small", pax(VERSION_1) + block(b"p", 511), no_map,
        1024)


def truncated_sparse():
    two = [(0, 1), (5, 1)]
    for name, data in (
            ("gnu", old_gnu(9, 2, [], [two])[:-1]),
            ("gnu-block", old_gnu(9, 2, two, continues=True)),
            ("pax-1.0", pax_1(b"9", 2, lines(*two))[:-1]),
            ("pax-1.0-line", pax_1(b"9", 1 << 21, b"0" * 512))):
        save("truncated-sparse-" + name, data, "lacks a header\n")


def generate():
    real_sparse()
    good_sparse()
    odd_sparse()
    bad_sparse()
    truncated_sparse()
