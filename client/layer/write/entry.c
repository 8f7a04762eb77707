/* SPDX-License-Identifier: Apache-2.0 */
/* Entries on their way into a blob with a table of contents. */
#include <errno.h>

#include "indexed.h"

int indexed_put(struct indexed *indexed, const void *data, size_t len,
    struct err *err)
{
	int r = 0;

	if (indexed->tar) {
		r = hasher_update(indexed->tar, data, len, err);
		indexed->tar_size += len;
	}
	return r < 0 ? r : encoder_write(indexed->encoder, data, len, err);
}

int indexed_put_between(struct indexed *indexed, size_t len, struct err *err)
{
	/* The padding of what was dropped goes with it. */
	size_t padding = (size_t)tar_padding(indexed->body_end);
	size_t from = indexed->is_dropped ? padding : 0;

	if (len <= from)
		return 0;
	return indexed_put(indexed, indexed->between.data + from, len - from,
	    err);
}

/* The next chunk of the entry. */
static int begin_chunk(struct indexed *indexed, struct err *err)
{
	uint64_t left = indexed->left;
	size_t len = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;

	indexed->chunk_left = len;
	return encoder_cut(indexed->encoder, len, len, err);
}

static int begin_data(struct indexed *indexed, struct err *err)
{
	if (indexed->size > CHUNK_SIZE) {
		indexed->file = hasher_new(DIGEST_SHA256, err);
		if (!indexed->file)
			return -err->code;
	}
	return begin_chunk(indexed, err);
}

static int end_entry(struct indexed *indexed, struct err *err)
{
	if (!indexed->split)
		return 0;
	return tar_split_end_entry(indexed->split, buf_str(&indexed->name),
	    indexed->size, err);
}

static int begin_split(struct indexed *indexed, const struct tar_entry *entry,
    struct err *err)
{
	int r;

	buf_reset(&indexed->name);
	r = buf_addstr(&indexed->name, entry->name, err);
	if (r == 0)
		r = tar_split_add(indexed->split, indexed->between.data,
		    indexed->between.len, err);
	return r;
}

int indexed_begin(struct indexed *indexed, const struct tar_entry *entry,
    bool dropped, struct err *err)
{
	size_t padding = (size_t)tar_padding(indexed->body_end);
	int r = indexed_put_between(indexed,
	    dropped ? padding : indexed->between.len, err);

	indexed->is_dropped = dropped;
	indexed->size = indexed->left = entry->size;
	if (r < 0 || dropped)
		return r;
	if (indexed->split)
		r = begin_split(indexed, entry, err);
	if (r == 0)
		r = toc_writer_add(indexed->toc, entry, err);
	if (r < 0)
		return r;
	return entry->size > 0 ? begin_data(indexed, err)
			       : end_entry(indexed, err);
}

/* Before the last bytes go to the encoder, with which the entry is complete in
 * the table. */
static int end_file(struct indexed *indexed, struct err *err)
{
	CLEANUP(hasher_free_p) struct hasher *file = steal(&indexed->file);
	struct digest digest;
	int r = file ? hasher_finish(file, &digest, err) : 0;

	if (r == 0 && file)
		toc_writer_set_digest(indexed->toc, &digest);
	return r;
}

/* Bytes of one chunk. */
static int add_to_chunk(struct indexed *indexed, const uint8_t *data,
    size_t len, struct err *err)
{
	int r = 0;

	indexed->left -= len;
	indexed->chunk_left -= len;
	if (indexed->file)
		r = hasher_update(indexed->file, data, len, err);
	if (r == 0 && indexed->left == 0)
		r = end_file(indexed, err);
	if (r == 0)
		r = indexed_put(indexed, data, len, err);
	if (r < 0 || indexed->chunk_left > 0)
		return r;
	if (indexed->left > 0)
		return begin_chunk(indexed, err);
	/* What reads a frame reads all of it. */
	if (indexed->kind == LAYER_ZSTD_CHUNKED)
		r = encoder_cut(indexed->encoder, 0, 0, err);
	return r < 0 ? r : end_entry(indexed, err);
}

int indexed_add(struct indexed *indexed, const void *data, size_t len,
    struct err *err)
{
	const uint8_t *bytes = data;
	int r = 0;

	if (indexed->is_dropped)
		return 0;
	if (indexed->split)
		tar_split_sum(indexed->split, data, len);
	while (len > 0 && r == 0) {
		uint64_t chunk = indexed->chunk_left;
		size_t n = len < chunk ? len : (size_t)chunk;

		r = add_to_chunk(indexed, bytes, n, err);
		bytes += n;
		len -= n;
	}
	return r;
}
