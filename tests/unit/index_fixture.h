/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of what indexes say: entries as the walker of a tar gives them, the
 * index that comes of them, and what is at a path in it.
 */
#ifndef TESTS_INDEX_FIXTURE_H
#define TESTS_INDEX_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "build/builder.h"
#include "index_read.h"

enum { NAMES_MAX = 4096 };
#define NONE UINT32_MAX

#define AUTO_INDEX CLEANUP(layer_index_close_p)

struct builder *begin(void);

void build_entry(struct builder *builder, const struct tar_entry *entry);

/* A file of one byte; its address is what tells it from others. */
void add_file(struct builder *builder, const char *name, uint64_t address);

void add_dir(struct builder *builder, const char *name, uint32_t mode);

void add_symlink(struct builder *builder, const char *name, const char *target);

void add_link(struct builder *builder, const char *name, const char *target);

/* The file of the index of a layer with a digest that begins so; frees the
 * builder. */
int end_file_of(struct builder *builder, uint8_t digest);

int end_file(struct builder *builder);

struct layer_index *end(struct builder *builder);

/* The entry at a path, or NONE. */
uint32_t number_at(const struct layer_index *index, const char *path);

/* The same, which is there. */
struct layer_entry at(const struct layer_index *index, const char *path);

/* What the names of a directory are, with spaces between them. */
void assert_names(const struct layer_index *index, const char *path,
    const char *want);

/* That the two are the same file, which has that many names. */
void assert_linked(const struct layer_index *index, const char *one,
    const char *other, uint32_t links);

#endif
