# SPDX-License-Identifier: Apache-2.0
"""Compressed streams as layers have them: in one piece, and in many."""

import bz2
import ctypes
import gzip
import lzma
from ctypes.util import find_library

ZSTD_LEVEL, ZSTD_CONTENT_SIZE, ZSTD_CHECKSUM = 100, 200, 201  # zstd.h
SKIPPABLE_MAGIC = 0x184D2A50
PIECE = 64 * 1024


def gzip_member(data, level=1):
    return gzip.compress(data, compresslevel=level, mtime=0)


def pieces(data, size=PIECE):
    return [data[at:at + size] for at in range(0, len(data), size)] or [b""]


def in_members(data, size=PIECE):
    """Many gzip members, one after another, as pigz and estargz write them."""
    return b"".join(map(gzip_member, pieces(data, size)))


def _zstd_library():
    library = ctypes.CDLL(find_library("zstd"))
    library.ZSTD_createCCtx.restype = ctypes.c_void_p
    library.ZSTD_compressBound.restype = ctypes.c_size_t
    library.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
    library.ZSTD_CCtx_setParameter.argtypes = [
        ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    library.ZSTD_compress2.restype = ctypes.c_size_t
    library.ZSTD_compress2.argtypes = [
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p,
        ctypes.c_size_t]
    return library


_zstd = _zstd_library()
_context = _zstd.ZSTD_createCCtx()


def zstd_frame(data, *, level=1, with_size=True):
    """One frame. with_size: its header says how much it holds, which writers
    that compress a stream do not know."""
    for parameter, value in ((ZSTD_LEVEL, level), (ZSTD_CHECKSUM, 1),
                             (ZSTD_CONTENT_SIZE, int(with_size))):
        _zstd.ZSTD_CCtx_setParameter(_context, parameter, value)
    room = _zstd.ZSTD_compressBound(len(data))
    out = ctypes.create_string_buffer(room)
    size = _zstd.ZSTD_compress2(_context, out, room, data, len(data))
    assert size <= room, "libzstd failed"
    return out.raw[:size]


def in_frames(data, size=PIECE):
    """Many zstd frames, one after another; some do not say their sizes."""
    return b"".join(zstd_frame(piece, with_size=number % 2 == 0)
                    for number, piece in enumerate(pieces(data, size)))


def skippable_frame(data):
    """What decoders of zstd pass over (RFC 8878, 3.1.2)."""
    return (SKIPPABLE_MAGIC.to_bytes(4, "little")
            + len(data).to_bytes(4, "little") + data)


# What a layer can be, by the names that the tests use.
COMPRESSIONS = {
    "plain": bytes,
    "gzip": gzip_member,
    "gzip-members": in_members,
    "zstd": lambda data: zstd_frame(data, with_size=False),
    "zstd-frames": in_frames,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}
