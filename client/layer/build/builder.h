/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes an index: takes entries in the order of the layer and settles what they
 * mean together, as an engine would that unpacks them into an empty directory.
 *
 * Parents that have no entry are implied. A later entry of a name replaces an
 * earlier one, a directory's attributes excepted, which are changed. What
 * stands in a directory's place takes the directory with it. A parent that is a
 * symbolic link is followed, inside the layer. "..", "." and leading slashes
 * never lead out of it.
 */
#ifndef LAYER_BUILDER_H
#define LAYER_BUILDER_H

#include "layer/index.h"
#include "tar/walker.h"

struct builder;

/* dir (borrowed): where it keeps what is too much for memory. */
int builder_new(const char *dir, struct builder **out, struct err *err);
void builder_free(struct builder *builder);

DEFINE_CLEANUP(struct builder *, builder_free);

/* entry->offset is its address in the stream. An entry that nothing can show (a
 * name that is too long, a hard link to a directory) is left out, with a
 * warning. -EFBIG for too many, also of the directories that they imply. */
int builder_add(struct builder *builder, const struct tar_entry *entry,
    struct err *err);

/* The next span; the window is window_len bytes that go before it. span's own
 * window fields are not looked at. */
int builder_add_span(struct builder *builder, const struct layer_span *span,
    const void *window, size_t window_len, struct err *err);

/* How large the index is that builder_write() writes. */
uint64_t builder_size(const struct builder *builder);

/* Writes the index to an empty file; again, should that have failed, to another
 * one. The builder takes no more. */
int builder_write(struct builder *builder, const struct layer_facts *facts,
    int fd, struct err *err);

#endif
