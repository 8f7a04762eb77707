/* SPDX-License-Identifier: Apache-2.0 */
/* What a builder consists of, for the files that it is written in. */
#ifndef LAYER_BUILDER_STATE_H
#define LAYER_BUILDER_STATE_H

#include "base/buf.h"
#include "builder.h"
#include "index/pile.h"

/* Of a component, as of every file system that images are unpacked to. */
enum { PATH_NAME_MAX = 255 };

enum {
	/* Another entry has taken its name; in memory only. */
	ENTRY_REPLACED = 1 << 16,
	/* A hard link leads to it; likewise. */
	ENTRY_LINKED = 1 << 17,
};

/* Entries by directory and name: a table of their numbers, each with some bits
 * of its hash. */
struct children {
	uint32_t *slots; /* 0: free */
	uint32_t cap;    /* a power of two, or 0 */
	uint32_t used;
};

struct builder {
	struct pile entries; /* struct layer_entry each */
	uint32_t implied;    /* directories of those that others made */
	struct children children;
	struct pile heap;
	/* The path of the directory that was followed to last, and its number:
	 * empty where nothing is known. */
	struct buf last_parent;
	uint32_t last_dir;
	struct pile spans, extents; /* of the records that go to the file */
	bool has_acls, has_dangling;
	bool has_whiteouts;
	/* What engines refuse though it is clear: a name twice, a whiteout
	 * behind what it would take, a parent that is a link to nothing. */
	bool engines_refuse;
	bool over_file;    /* a parent of the entry at hand was no directory */
	unsigned left_out; /* entries */
	struct err oddity; /* the first that nobody can unpack */
	uint32_t *list;    /* of children, once it takes no more; NULL before */
};

static inline uint32_t builder_count(const struct builder *builder)
{
	return (uint32_t)(builder->entries.len / sizeof(struct layer_entry));
}

/* An entry, until the next one is appended. */
static inline struct layer_entry *builder_entry(struct builder *builder,
    uint32_t number)
{
	return pile_at(&builder->entries, number * sizeof(struct layer_entry),
	    sizeof(struct layer_entry));
}

/* A text in the heap, until something is kept. */
static inline const char *builder_text(struct builder *builder, uint32_t at)
{
	return pile_at(&builder->heap, at, 1);
}

/* The child of that name, or LAYER_ROOT where there is none. */
uint32_t builder_child(struct builder *builder, uint32_t dir, const char *name);

/* From now on the entry is the child of that name, which it has. */
int builder_set_child(struct builder *builder, uint32_t number,
    struct err *err);

/* What replaced entries had below them is replaced with them. No more entries
 * are to come. */
void builder_settle(struct builder *builder);

/* No child is looked up any more. */
void builder_forget_children(struct builder *builder);

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
const char *builder_target(struct builder *builder, uint32_t entry);

#endif
