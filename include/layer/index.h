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
 * Everything here is immutable and can be used from any thread.
 */
#ifndef LAYER_INDEX_H
#define LAYER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/digest.h"
#include "stream/compression.h"

/* A number of an entry: entries stand in the order in which the layer has them,
 * a directory before what is in it. */
enum { LAYER_ROOT = 0, LAYER_ENTRIES_MAX = 1 << 22 };

enum layer_entry_flag {
	/* No entry of its own: a directory that others are in. */
	LAYER_IMPLIED = 1,
	/* A hard link to what is not in this layer; the target says what. */
	LAYER_DANGLING = 2,
	/* A directory that hides what layers below have in it. */
	LAYER_OPAQUE = 4,
	/* A file of which the stream has only the pieces that extents say. */
	LAYER_SPARSE = 8,
};

/* As in the file; native byte order. */
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
	uint32_t unused;
};

/* A piece of a sparse file; pieces follow one another in the stream. */
struct layer_extent {
	uint64_t offset, size;
};

enum layer_span_flag {
	SPAN_ZEROS = 1,     /* nothing but zeros, and not in the blob */
	SPAN_AT_MEMBER = 2, /* begins with a member's or a frame's header */
};

struct layer_span {
	uint64_t in, out; /* where it begins in the blob, in the stream */
	uint32_t in_len, out_len;
	uint32_t skip;               /* decoded bytes that come before it */
	uint32_t window, window_len; /* packed, in the heap */
	uint8_t bits, flags, unused[2];
	uint8_t sha256[32];
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

/* Takes fd, also on failure. -EBADMSG: not whole, or of another version. */
int layer_index_open(int fd, struct layer_index **out, struct err *err);
void layer_index_close(struct layer_index *index);

DEFINE_CLEANUP(struct layer_index *, layer_index_close);

/* A number that an index with another content has not. */
uint64_t layer_index_id(const struct layer_index *index);

const struct layer_facts *layer_index_facts(const struct layer_index *index);
uint32_t layer_index_count(const struct layer_index *index);
const struct layer_entry *layer_index_entry(const struct layer_index *index,
    uint32_t entry);

/* Their names and targets are not NULL, and live as long as the index. */
const char *layer_index_name(const struct layer_index *index, uint32_t entry);
const char *layer_index_target(const struct layer_index *index, uint32_t entry);

/* The children of a directory, sorted by name. */
const uint32_t *layer_index_children(const struct layer_index *index,
    uint32_t dir, uint32_t *count);

/* Whether a directory has a child of that name (len bytes). */
bool layer_index_find(const struct layer_index *index, uint32_t dir,
    const char *name, size_t len, uint32_t *out);

/* The attributes of an entry, one a call; *cursor is 0 at first. */
bool layer_index_xattr(const struct layer_index *index, uint32_t entry,
    uint32_t *cursor, const char **name, const void **value, uint32_t *len);

const struct layer_extent *layer_index_extents(const struct layer_index *index,
    const struct layer_entry *entry);

const struct layer_span *layer_index_spans(const struct layer_index *index,
    uint32_t *count);
/* The span with the byte at that address, which is in the stream. */
uint32_t layer_index_span_at(const struct layer_index *index, uint64_t out);
const void *layer_index_window(const struct layer_index *index,
    const struct layer_span *span);

#endif
