/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers on top of each other, of which maybe only the upper ones are known:
 * what a name means in them, looked up as an overlay does it. -EUCLEAN where an
 * index is damaged.
 */
#ifndef LAYER_STACK_H
#define LAYER_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "layer/index.h"

/* A directory's contribution from one layer. */
struct part {
	uint32_t layer; /* its number, from the lowest up */
	uint32_t entry;
};

/* What a name is in a stack: a file in one layer, or a directory in several,
 * the highest first. */
struct meaning {
	struct part *parts; /* owned */
	size_t count;       /* 0: nothing by that name */
	size_t cap;
	bool is_dir;
	/* Where a layer hides what is below it, the names in it are those of so
	 * many of the parts; the others may describe it. 0: of all. */
	size_t naming;
	bool described; /* a part has an entry of its own for it */
	/* Lower layers than those that are known could add something to it. */
	bool open;
};

void meaning_release(struct meaning *meaning);

/* Whether those layers could add names to a directory. */
bool meaning_names_open(const struct meaning *dir);

/* The root of the layers from `lowest` to count - 1. */
int stack_root(const struct layer_index *const *layers, size_t lowest,
    size_t count, struct meaning *out, struct err *err);

/* What name (len bytes) is in a directory. */
int stack_child(const struct layer_index *const *layers,
    const struct meaning *dir, const char *name, size_t len,
    struct meaning *out, struct err *err);

/* What a path is, with slashes as they come; symbolic links are not followed.
 * 0; a path that leads through a file leads nowhere. */
int stack_find(const struct layer_index *const *layers, size_t lowest,
    size_t count, const char *path, struct meaning *out, struct err *err);

/* A name that some layer has in a directory. */
struct candidate {
	const char *name;
	struct part part; /* of the highest layer that has it */
};

struct candidates {
	struct candidate *list;
	size_t count;
	struct arena names;
};

void candidates_release(struct candidates *candidates);

/* All names in a directory that stand for themselves, each once, sorted; some
 * of them may mean nothing. To be released, also after a failure. */
int stack_names(const struct layer_index *const *layers,
    const struct meaning *dir, struct candidates *out, struct err *err);

/* The part that gives a directory its attributes, and what they are. */
int meaning_attributes(const struct layer_index *const *layers,
    const struct meaning *meaning, struct part *part, struct layer_entry *entry,
    struct err *err);

/* A name that stands for something else: whiteouts and what AUFS kept. */
bool stack_is_whiteout(const char *name);

#endif
