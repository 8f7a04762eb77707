/* SPDX-License-Identifier: Apache-2.0 */
/* Reading indexes that nothing is wrong with: what does not fail is a value. */
#ifndef TESTS_INDEX_READ_H
#define TESTS_INDEX_READ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer/index.h"

#define UNUSED __attribute__((unused))

/* A name of a directory, and what has it. */
struct child {
	uint32_t entry;
	char name[LAYER_NAME_SIZE];
};

struct target {
	char text[4097];
};

int sound(int r, const struct err *err);

struct layer_entry entry_in(const struct layer_index *index, uint32_t number);

struct child child_in(const struct layer_index *index, uint32_t dir,
    uint32_t i);

bool find_in(const struct layer_index *index, uint32_t dir, const char *name,
    size_t len, uint32_t *out);

/* The entry at a path, or UINT32_MAX. */
uint32_t path_in(const struct layer_index *index, const char *path);

struct target target_in(const struct layer_index *index, uint32_t number);

/* Appends the attributes of an entry. */
void xattrs_in(const struct layer_index *index, uint32_t number,
    struct buf *out);

struct layer_extent extent_in(const struct layer_index *index,
    const struct layer_entry *entry, uint32_t i);

struct layer_span span_in(const struct layer_index *index, uint32_t number);

/* The number of the span with that byte. */
uint32_t span_at(const struct layer_index *index, uint64_t address);

#endif
