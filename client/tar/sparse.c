/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps of sparse files: GNU tar's manual, "Storing Sparse Files". What is
 * asked of a map is what Go's archive/tar asks.
 */
#include "sparse.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "block.h"
#include "number.h"
#include "tar/walker.h"

enum {
	/* In a header block, over what is the prefix in ustar. */
	HEADER_MAP = 386,
	HEADER_PAIRS = 4,
	HEADER_CONTINUES = 482,
	HEADER_FILE_SIZE = 483,
	/* In a block of map after it. */
	BLOCK_PAIRS = 21,
	BLOCK_CONTINUES = 504,
	/* An offset and a size. */
	PAIR_LEN = 2 * BLOCK_LONG_LEN,
	PAIR_TEXT_MIN = 4, /* "0,0," */
	EXTENTS_MAX = TAR_EXTENDED_MAX / PAIR_TEXT_MIN,
};

static int bad_map(struct err *err)
{
	return err_set(err, EINVAL, "the sparse file's map is invalid");
}

static int too_long(struct err *err)
{
	return err_set(err, EINVAL, "the sparse file's map is too long");
}

void sparse_init(struct sparse_map *map)
{
	*map = (struct sparse_map){
	    .extents = BUF_INIT(EXTENTS_MAX * sizeof(struct tar_extent)),
	    .text = BUF_INIT(TAR_EXTENDED_MAX),
	};
}

void sparse_reset(struct sparse_map *map)
{
	buf_reset(&map->extents);
	buf_reset(&map->text);
	map->end = map->stored = 0;
	map->file_size = 0;
	map->block_bytes = map->lines = 0;
}

void sparse_release(struct sparse_map *map)
{
	buf_release(&map->extents);
	buf_release(&map->text);
}

static int add_extent(struct sparse_map *map, int64_t offset, int64_t size,
    struct err *err)
{
	struct tar_extent extent = {(uint64_t)offset, (uint64_t)size};

	if (offset < 0 || size < 0 || size > INT64_MAX - offset ||
	    extent.offset < map->end)
		return bad_map(err);
	map->end = extent.offset + extent.size;
	map->stored += extent.size;
	/* GNU tar ends the map of a file that ends in a hole with one. */
	if (size == 0)
		return 0;
	return buf_add(&map->extents, &extent, sizeof(extent), err);
}

/* A pair without an offset is after the last one. */
static int add_pairs(struct sparse_map *map, const uint8_t *pair, size_t count,
    struct err *err)
{
	for (; count > 0 && pair[0] != '\0'; count--, pair += PAIR_LEN) {
		int64_t offset, size;
		int r;

		if (!tar_number_parse(pair, BLOCK_LONG_LEN, &offset) ||
		    !tar_number_parse(pair + BLOCK_LONG_LEN, BLOCK_LONG_LEN,
			&size))
			return bad_map(err);
		r = add_extent(map, offset, size, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int sparse_add_header(struct sparse_map *map, const uint8_t *data,
    struct err *err)
{
	int r;

	if (!tar_number_parse(data + HEADER_FILE_SIZE, BLOCK_LONG_LEN,
		&map->file_size))
		return bad_map(err);
	r = add_pairs(map, data + HEADER_MAP, HEADER_PAIRS, err);
	return r < 0 ? r : data[HEADER_CONTINUES] != 0;
}

static int count_block(struct sparse_map *map, struct err *err)
{
	if (map->block_bytes == TAR_EXTENDED_MAX)
		return too_long(err);
	map->block_bytes += TAR_BLOCK;
	return 0;
}

int sparse_add_block(struct sparse_map *map, const uint8_t *data,
    struct err *err)
{
	int r = count_block(map, err);

	if (r == 0)
		r = add_pairs(map, data, BLOCK_PAIRS, err);
	return r < 0 ? r : data[BLOCK_CONTINUES] != 0;
}

/* Numbers that separators stand between: two for each extent. */
static int add_numbers(struct sparse_map *map, uint64_t count,
    const char **cursor, const char *separator, struct err *err)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t offset, size;
		int r;

		if ((i > 0 && !parse_literal(cursor, separator)) ||
		    !parse_u64(cursor, INT64_MAX, &offset) ||
		    !parse_literal(cursor, separator) ||
		    !parse_u64(cursor, INT64_MAX, &size))
			return bad_map(err);
		r = add_extent(map, (int64_t)offset, (int64_t)size, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int sparse_add_list(struct sparse_map *map, int64_t count, const char *text,
    struct err *err)
{
	int r;

	if (count < 0)
		return bad_map(err);
	r = add_numbers(map, (uint64_t)count, &text, ",", err);
	if (r < 0)
		return r;
	return *text == '\0' ? 0 : bad_map(err);
}

/* The lines: how many extents there are, then offset and size of each. */
static int parse_lines(struct sparse_map *map, struct err *err)
{
	const char *cursor = map->text.data;
	uint64_t count;
	int r;

	if (!parse_u64(&cursor, INT64_MAX, &count) ||
	    !parse_literal(&cursor, "\n"))
		return bad_map(err);
	if (count > EXTENTS_MAX)
		return too_long(err);
	if (map->lines < 1 + 2 * count)
		return 1;
	r = add_numbers(map, count, &cursor, "\n", err);
	if (r < 0)
		return r;
	return count == 0 || *cursor == '\n' ? 0 : bad_map(err);
}

int sparse_add_lines(struct sparse_map *map, const uint8_t *data,
    struct err *err)
{
	int r = count_block(map, err);

	if (r == 0)
		r = buf_add(&map->text, data, TAR_BLOCK, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		map->lines += data[i] == '\n';
	return map->lines == 0 ? 1 : parse_lines(map, err);
}

int sparse_add_all(struct sparse_map *map, int64_t size, struct err *err)
{
	return add_extent(map, 0, size, err);
}

int sparse_check(const struct sparse_map *map, int64_t file_size,
    uint64_t stored, struct err *err)
{
	if (file_size < 0 || (uint64_t)file_size < map->end)
		return err_set(err, EINVAL,
		    "the sparse file is shorter than its map");
	if (map->stored != stored)
		return err_set(err, EINVAL,
		    "the sparse file has more or less data than its map");
	return 0;
}
