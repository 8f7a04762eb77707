/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An immutable sorted list of names: the repositories of a registry, or the
 * tags of one. Counted; 100,000 names cost a few megabytes.
 *
 * '/' sorts before every other character, so that all repositories below a
 * directory stand together and so do those that share a component.
 */
#ifndef IMAGE_NAMES_H
#define IMAGE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

struct names;

/* A list being made. */
struct names_builder;

/* NULL: out of memory, err filled. Names are copied; -EFBIG past a limit of
 * their number or of all their text, -ENOMEM. */
struct names_builder *names_builder_new(struct err *err);
int names_builder_add(struct names_builder *builder, const char *name,
    struct err *err);
/* Sorts, drops duplicates, and makes the list; takes the builder, also on
 * failure. */
int names_builder_take(struct names_builder *builder, struct names **out,
    struct err *err);
void names_builder_free(struct names_builder *builder);

DEFINE_CLEANUP(struct names_builder *, names_builder_free);

/* Counted, from any thread: get adds a count, and the last put frees. put of
 * NULL does nothing. */
struct names *names_get(struct names *names);
void names_put(struct names *names);

DEFINE_CLEANUP(struct names *, names_put);

/* Sorted as a walk of their tree finds them: '/' comes before any other
 * character. index is below the count. The text is borrowed from the list. */
size_t names_count(const struct names *names);
const char *names_at(const struct names *names, size_t index);
bool names_has(const struct names *names, const char *name);

/* What a list has that the one before had not, and the other way round; either
 * is NULL where there is nothing. */
struct names_difference {
	struct names *added, *gone;
};

/* before and now: NULL is an empty list. */
int names_differ(const struct names *before, const struct names *now,
    struct names_difference *out, struct err *err);
void names_difference_release(struct names_difference *difference);

/* A directory of the tree that the names make. */
struct names_child {
	const char *name; /* len bytes, not terminated */
	size_t len;
	bool is_name;   /* prefix/name is in the list */
	bool is_prefix; /* something below prefix/name is */
};

/*
 * The children of prefix ("" for the top, no slash at its end), one a call.
 * *cursor is 0 at first. False at the end.
 */
bool names_child_next(const struct names *names, const char *prefix,
    size_t *cursor, struct names_child *out);

/* Whether any name lies below prefix. */
bool names_has_below(const struct names *names, const char *prefix);

#endif
