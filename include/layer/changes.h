/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each layer of a stack does to what the layers below it have: image-spec
 * layer.md, "Applying Changesets", as an overlay shows it.
 */
#ifndef LAYER_CHANGES_H
#define LAYER_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "layer/index.h"

enum layer_change_kind { LAYER_ADDS, LAYER_CHANGES, LAYER_REMOVES };

/* Why something is removed. */
enum layer_removal {
	/* By a whiteout of its own, or of a directory above it. */
	REMOVED_ITSELF,
	REMOVED_WITH_DIRECTORY,
	/* The directory it is in is opaque there, or a file. */
	REMOVED_HIDDEN,
};

struct layer_change {
	size_t layer; /* from the lowest up */
	enum layer_change_kind kind;
	enum layer_removal removal; /* LAYER_REMOVES */
	const char *path;           /* from the root, without a slash first */
	/* NULL where it adds or removes. A directory that is one before and
	 * after is a change, too: its attributes may be others. */
	const struct layer_entry *before, *after;
	/* Bytes of the file that the entries themselves have: 0 of what is no
	 * file, and of a further name of one. */
	uint64_t size_before, size_after;
};

/* 0, or -errno, which ends it. */
typedef int layer_change_fn(void *arg, const struct layer_change *change,
    struct err *err);

/*
 * Tells of all changes that the layers (borrowed, the lowest first) make:
 * directory by directory, what is in one by name, and of a name from the lowest
 * layer up. Memory grows with the depth of the tree, and the largest directory.
 * -EUCLEAN where an index is damaged.
 */
int layer_changes(const struct layer_index *const *layers, size_t count,
    layer_change_fn *each, void *arg, struct err *err);

#endif
