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

UNUSED static struct builder *begin(void)
{
	struct builder *builder;
	struct err err = ERR_INIT;

	assert_int_equal(builder_new("/tmp", &builder, &err), 0);
	return builder;
}

UNUSED static void add_entry(struct builder *builder,
    const struct tar_entry *entry)
{
	struct err err = ERR_INIT;

	if (builder_add(builder, entry, &err) < 0)
		fail_msg("%s: %s", entry->name, err.msg);
}

/* A file of one byte; its address is what tells it from others. */
UNUSED static void add_file(struct builder *builder, const char *name,
    uint64_t address)
{
	const struct tar_entry entry = {.type = TAR_FILE,
	    .name = name,
	    .link = "",
	    .size = 1,
	    .file_size = 1,
	    .offset = address,
	    .mode = 0644};

	add_entry(builder, &entry);
}

UNUSED static void add_dir(struct builder *builder, const char *name,
    uint32_t mode)
{
	const struct tar_entry entry = {.type = TAR_DIRECTORY,
	    .name = name,
	    .link = "",
	    .mode = mode,
	    .mtime = 1000 + mode};

	add_entry(builder, &entry);
}

UNUSED static void add_linked(struct builder *builder, enum tar_type type,
    const char *name, const char *link)
{
	const struct tar_entry entry = {.type = type,
	    .name = name,
	    .link = link,
	    .mode = 0777};

	add_entry(builder, &entry);
}

UNUSED static void add_symlink(struct builder *builder, const char *name,
    const char *target)
{
	add_linked(builder, TAR_SYMLINK, name, target);
}

UNUSED static void add_link(struct builder *builder, const char *name,
    const char *target)
{
	add_linked(builder, TAR_HARDLINK, name, target);
}

/* The file of the index of a layer with a digest that begins so; frees the
 * builder. */
UNUSED static int end_file_of(struct builder *builder, uint8_t digest)
{
	const struct layer_facts facts = {.compression = COMPRESSION_NONE,
	    .blob = {.algorithm = DIGEST_SHA256, .bytes = {digest}},
	    .blob_size = 1 << 20,
	    .stream_size = 1 << 20};
	struct err err = ERR_INIT;
	int fd = memfd_create("index", MFD_CLOEXEC);

	assert_true(fd >= 0);
	if (builder_write(builder, &facts, fd, &err) < 0)
		fail_msg("%s", err.msg);
	builder_free(builder);
	return fd;
}

UNUSED static int end_file(struct builder *builder)
{
	return end_file_of(builder, 0);
}

UNUSED static struct layer_index *end(struct builder *builder)
{
	struct layer_index *index;
	struct err err = ERR_INIT;

	if (layer_index_open(end_file(builder), &index, &err) < 0)
		fail_msg("%s", err.msg);
	return index;
}

/* The entry at a path, or NONE. */
UNUSED static uint32_t number_at(const struct layer_index *index,
    const char *path)
{
	return path_in(index, path);
}

/* The same, which is there. */
UNUSED static struct layer_entry at(const struct layer_index *index,
    const char *path)
{
	uint32_t number = number_at(index, path);

	if (number == NONE)
		fail_msg("no %s", path);
	return entry_in(index, number);
}

/* What the names of a directory are, with spaces between them. */
UNUSED static void assert_names(const struct layer_index *index,
    const char *path, const char *want)
{
	AUTO_BUF struct buf names = BUF_INIT(NAMES_MAX);
	struct err err = ERR_INIT;
	uint32_t dir = number_at(index, path);

	assert_int_not_equal(dir, NONE);
	for (uint32_t i = 0; i < entry_in(index, dir).child_count; i++) {
		const struct child child = child_in(index, dir, i);

		if (i > 0)
			buf_addstr(&names, " ", &err);
		buf_addstr(&names, child.name, &err);
		assert_int_equal(entry_in(index, child.entry).parent, dir);
	}
	assert_string_equal(buf_str(&names), want);
}

/* That the two are the same file, which has that many names. */
UNUSED static void assert_linked(const struct layer_index *index,
    const char *one, const char *other, uint32_t links)
{
	uint32_t link = at(index, one).link;

	assert_int_equal(at(index, other).link, link);
	assert_int_equal(entry_in(index, link).links, links);
}

#endif
