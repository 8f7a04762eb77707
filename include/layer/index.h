/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a layer: its entries as a tree, and where the bytes of each file
 * are in the layer's blob. It is made in one pass over the layer (or of the
 * table of contents that an eStargz or zstd:chunked layer brings along), kept
 * in a file, and mapped: nothing is parsed when it is opened.
 *
 * A file's bytes have an address in the layer's decoded stream. The stream is
 * cut into spans, each of which can be fetched, verified and decoded alone:
 *
 *	entry.data ──> span.out … decoded by what span says <── span.in … in
 *	the blob
 *
 * The file is on a disk, where it can be damaged while it is mapped. So what is
 * asked of an index is a copy, which was compared with a checksum. What does
 * not agree, or is not there, is -EUCLEAN and never an answer: the functions of
 * layer.h and tree.h then have the index made again.
 *
 * Everything here is immutable and can be used from any thread.
 */
#ifndef LAYER_INDEX_H
#define LAYER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "oci/digest.h"
#include "stream/compression.h"

/* A number of an entry: entries stand in the order in which the layer has them,
 * a directory before what is in it. */
enum {
	LAYER_ROOT = 0,
	LAYER_ENTRIES_MAX = 1 << 22,
	LAYER_NAME_SIZE = 256, /* of a name with its NUL */
};

enum layer_entry_flag {
	/* No entry of its own: a directory that others are in. */
	LAYER_IMPLIED = 1,
	/* A hard link to what is not in this layer; the target says what. */
	LAYER_DANGLING = 2,
	/* A directory that hides what layers below have in it. */
	LAYER_OPAQUE = 4,
	/* A file of which the stream has only the pieces that extents say. */
	LAYER_SPARSE = 8,
	/* Some of its attributes mean nothing outside of its layer. */
	LAYER_HAS_HIDDEN = 16,
};

/* As in the file; native byte order. The check of each record is for those who
 * copy it. */
struct layer_entry {
	uint64_t data; /* of a file: its address; of a device: its number */
	uint64_t size;
	int64_t mtime;
	uint32_t mtime_nanos;
	uint32_t mode; /* as in struct stat */
	uint32_t uid, gid;
	uint32_t name; /* in the heap, as target and xattrs */
	uint32_t parent;
	uint32_t first_child, child_count; /* in the list of children */
	uint32_t link;   /* the entry whose attributes and data these are */
	uint32_t links;  /* of that one: how many names it has */
	uint32_t target; /* of a symbolic link, or one that dangles */
	uint32_t xattrs; /* 0: none */
	uint32_t first_extent, extent_count; /* of a sparse file */
	uint32_t flags;
	uint32_t check;
};

/* A piece of a sparse file; pieces follow one another in the stream. */
struct layer_extent {
	uint64_t offset, size;
	uint32_t unused, check;
};

enum layer_span_flag {
	SPAN_ZEROS = 1,     /* nothing but zeros, and not in the blob */
	SPAN_AT_MEMBER = 2, /* begins with a member's or a frame's header */
};

struct layer_span {
	uint64_t in, out; /* where it begins in the blob, in the stream */
	uint32_t in_len, out_len;
	uint32_t skip;   /* decoded bytes that come before it */
	uint32_t window; /* packed, in the heap; 0: none */
	uint8_t bits, flags, unused[2];
	uint8_t sha256[32];
	uint32_t check;
};

/* What the digests of spans are of. */
enum layer_vouching {
	/* The spans' bytes in the blob, taken when the blob's digest had come
	 * out right. */
	LAYER_BY_SPANS,
	/* The decoded bytes, as a table of contents says that the manifest
	 * vouches for. */
	LAYER_BY_CHUNKS,
	/* There are no spans: the stream is kept whole, as a blob of its own,
	 * because it can be decoded from its start only. */
	LAYER_BY_STREAM,
};

struct layer_facts {
	enum layer_vouching vouching;
	enum compression compression;
	struct digest blob; /* the layer's */
	uint64_t blob_size;
	struct digest stream; /* LAYER_BY_STREAM */
	uint64_t stream_size; /* bytes that have an address */
	bool has_acls;
	bool has_dangling; /* hard links to what is not in the layer */
};

struct layer_index;

/* Takes fd, also on failure. -EBADMSG: it is damaged; -ESTALE: it is of another
 * version. */
int layer_index_open(int fd, struct layer_index **out, struct err *err);
void layer_index_close(struct layer_index *index);

DEFINE_CLEANUP(struct layer_index *, layer_index_close);

/* A number that an index with another content has not. */
uint64_t layer_index_id(const struct layer_index *index);

/* Borrowed from the index; and how many entries it has, numbered from 0. */
const struct layer_facts *layer_index_facts(const struct layer_index *index);
uint32_t layer_index_count(const struct layer_index *index);

/* What follows is 0, or -EUCLEAN. */

/* Its children, its extents, its parent and its link are in the index. */
int layer_index_entry(const struct layer_index *index, uint32_t number,
    struct layer_entry *out, struct err *err);

/* The i-th child of a directory, of child_count: they are sorted by name. */
int layer_index_child(const struct layer_index *index,
    const struct layer_entry *dir, uint32_t i, uint32_t *out,
    char name[LAYER_NAME_SIZE], struct err *err);

/* Looks for a child of that name (len bytes) in a directory: 1, or 0 where it
 * has none. */
int layer_index_find(const struct layer_index *index, uint32_t dir,
    const char *name, size_t len, uint32_t *out, struct err *err);

/* A new string, "" where an entry has none. */
int layer_index_target(const struct layer_index *index,
    const struct layer_entry *entry, char **out, struct err *err);

/* Appends the attributes of an entry, for layer_next_xattr(). */
int layer_index_xattrs(const struct layer_index *index,
    const struct layer_entry *entry, struct buf *out, struct err *err);

/* The attributes one after the other; *cursor is 0 at first. What they are is
 * in the buffer. */
bool layer_next_xattr(const struct buf *xattrs, size_t *cursor,
    const char **name, const void **value, uint32_t *len);

/*
 * Whether an attribute of that name is its layer's own: what overlayfs keeps
 * for itself, which would mean something where the tree is a lower directory of
 * one; and names of no name space that Linux has, which no file system takes.
 */
bool layer_xattr_is_hidden(const char *name);

/* The i-th piece of a sparse file, of extent_count. */
int layer_index_extent(const struct layer_index *index,
    const struct layer_entry *entry, uint32_t i, struct layer_extent *out,
    struct err *err);

/* How many spans there are, and one of them, which is in the blob and in the
 * stream, and is no longer than layers are cut. */
uint32_t layer_index_spans(const struct layer_index *index);
int layer_index_span(const struct layer_index *index, uint32_t number,
    struct layer_span *out, struct err *err);

/* The span with the byte at that address, and its number. -EIO where none has
 * it. */
int layer_index_span_at(const struct layer_index *index, uint64_t address,
    uint32_t *number, struct layer_span *out, struct err *err);

/* Unpacks a span's window into out, of size bytes: how many there are. */
int layer_index_window(const struct layer_index *index,
    const struct layer_span *span, void *out, size_t size, struct err *err);

#endif
