/* SPDX-License-Identifier: Apache-2.0 */
/* What a builder consists of, for the files that it is written in. */
#ifndef LAYER_BUILDER_STATE_H
#define LAYER_BUILDER_STATE_H

#include "base/buf.h"
#include "base/map.h"
#include "builder.h"

/* Of a component, as of every file system that images are unpacked to. */
enum { PATH_NAME_MAX = 255 };

enum {
	/* Another entry has taken its name; in memory only. */
	ENTRY_REPLACED = 1 << 16,
};

struct builder {
	struct layer_entry *entries;
	uint32_t count, cap;
	uint32_t implied; /* directories of those that others made */
	struct map names; /* "PARENT/NAME" to the entry's number, plus one */
	struct buf heap;
	/* The path of the directory that was followed to last, and its number:
	 * empty where nothing is known. */
	struct buf last_parent;
	uint32_t last_dir;
	struct buf spans, extents; /* of the records that go to the file */
	bool has_acls, has_dangling;
	unsigned left_out; /* entries */
};

/* The child of that name, or LAYER_ROOT where there is none. */
uint32_t builder_child(const struct builder *builder, uint32_t dir,
    const char *name);

/* Gives dir a child of that name, which it has not or which is replaced. */
int builder_append(struct builder *builder, uint32_t dir, const char *name,
    const struct layer_entry *entry, uint32_t *out, struct err *err);

/* A directory that nothing describes. */
struct layer_entry builder_implied(int64_t mtime);

/* Appends a block to the heap, which is sealed when the index is written: where
 * it is. -EFBIG over BLOCK_MAX. */
int builder_keep(struct builder *builder, const void *data, size_t size,
    uint32_t *out, struct err *err);

/* The target of a symbolic link. */
const char *builder_target(const struct builder *builder, uint32_t entry);

#endif
