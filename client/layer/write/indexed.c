/* SPDX-License-Identifier: Apache-2.0 */
/* A tar that becomes a blob with a table of contents. */
#include "indexed.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* The headers of one entry take up to three times TAR_EXTENDED_MAX; more is
 * between no two entries but where a tar has other things in it. */
enum { BETWEEN_MAX = 8 << 20 };

int indexed_refuse(const char *what, struct err *err)
{
	return err_set(err, EOPNOTSUPP, "%s", what);
}

static int add_chunk(void *arg, const struct encoder_piece *piece,
    struct err *err)
{
	struct indexed *indexed = arg;

	return toc_writer_add_chunk(indexed->toc, piece, err);
}

static int begin_encoder(struct indexed *indexed,
    const struct layer_writer_options *options, struct err *err)
{
	bool is_zstd = indexed->kind == LAYER_ZSTD_CHUNKED;
	const struct layer_format *format = &options->format;
	const struct encoder_options encoder = {
	    .compression = is_zstd ? COMPRESSION_ZSTD : COMPRESSION_GZIP,
	    .level =
		format->has_level ? format->level : COMPRESSION_LEVEL_DEFAULT,
	    .piece_size = CHUNK_SIZE,
	    .pool = options->pool,
	    .parallel = options->parallel,
	    .fd = options->fd,
	    .done = add_chunk,
	    .arg = indexed,
	};

	return encoder_new(&encoder, &indexed->encoder, err);
}

static int take_entry(void *arg, const struct tar_entry *entry,
    struct err *err);

static int init(struct indexed *indexed,
    const struct layer_writer_options *options, struct err *err)
{
	const struct tar_handler handler = {take_entry, NULL, indexed};
	bool is_chunked = indexed->kind == LAYER_ZSTD_CHUNKED;
	int r = begin_encoder(indexed, options, err);

	if (r == 0)
		r = tar_walker_new(&handler, &indexed->walker, err);
	if (r == 0)
		r = toc_writer_new(is_chunked, CHUNK_SIZE, &indexed->toc, err);
	if (r < 0)
		return r;
	return is_chunked ? tar_split_new(&indexed->split, err)
			  : estargz_begin(indexed, err);
}

int indexed_new(const struct layer_writer_options *options,
    struct indexed **out, struct err *err)
{
	CLEANUP(indexed_free_p)
	struct indexed *indexed = calloc(1, sizeof(*indexed));
	int r;

	if (!indexed)
		return err_nomem(err);
	indexed->kind = options->format.kind;
	indexed->between = BUF_INIT(BETWEEN_MAX);
	indexed->name = BUF_INIT(TAR_NAME_MAX + 1);
	r = init(indexed, options, err);
	if (r == 0)
		*out = steal(&indexed);
	return r;
}

void indexed_free(struct indexed *indexed)
{
	if (!indexed)
		return;
	encoder_free(indexed->encoder);
	tar_walker_free(indexed->walker);
	toc_writer_free(indexed->toc);
	tar_split_free(indexed->split);
	hasher_free(indexed->tar);
	hasher_free(indexed->file);
	buf_release(&indexed->name);
	buf_release(&indexed->between);
	free(indexed);
}

/* Takes what is before that place in the tar. */
static int take_up_to(struct indexed *indexed, uint64_t end, struct err *err)
{
	while (indexed->taken < end) {
		bool is_body = indexed->taken < indexed->body_end;
		uint64_t stop = is_body && indexed->body_end < end
				    ? indexed->body_end
				    : end;
		size_t len = (size_t)(stop - indexed->taken);
		int r = is_body ? indexed_add(indexed, indexed->next, len, err)
				: buf_add(&indexed->between, indexed->next, len,
				      err);

		if (r < 0)
			return r;
		indexed->taken = stop;
		indexed->next += len;
	}
	return 0;
}

/* What a table cannot say. */
static int check(const struct indexed *indexed, const struct tar_entry *entry,
    struct err *err)
{
	if (entry->begin != indexed->body_end + tar_padding(indexed->body_end))
		return indexed_refuse("entries of other types", err);
	if (entry->is_sparse)
		return indexed_refuse("sparse files", err);
	if (!entry->is_exact)
		return indexed_refuse("headers with unusual numbers", err);
	return 0;
}

static int take_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct indexed *indexed = arg;
	int r = check(indexed, entry, err);

	if (r == 0)
		r = take_up_to(indexed, entry->offset, err);
	if (r == 0)
		r = indexed_begin(indexed, entry,
		    indexed->kind == LAYER_ESTARGZ && estargz_owns(entry->name),
		    err);
	indexed->body_end = entry->offset + entry->size;
	buf_reset(&indexed->between);
	return r;
}

/* What is too large for a table is no error of the tar. */
static int settle(struct err *err)
{
	if (err->code == EFBIG)
		err->code = EOPNOTSUPP;
	return -err->code;
}

int indexed_write(struct indexed *indexed, const void *data, size_t len,
    struct err *err)
{
	uint64_t end = indexed->taken + len;
	int r;

	indexed->next = data;
	r = tar_walker_feed(indexed->walker, data, len, NULL, err);
	/* Only the walker says so. */
	if (r == -EINVAL)
		err->code = EOPNOTSUPP;
	if (r >= 0)
		r = take_up_to(indexed, end, err);
	return r < 0 ? settle(err) : 0;
}

/* Whether nothing but zeros is behind the last entry. */
static bool has_ended(const struct indexed *indexed)
{
	const struct buf *between = &indexed->between;

	for (size_t i = 0; i < between->len; i++)
		if (between->data[i] != 0)
			return false;
	return tar_walker_between(indexed->walker);
}

int indexed_finish(struct indexed *indexed, struct layer_written *out,
    struct err *err)
{
	int r;

	if (!has_ended(indexed))
		return indexed_refuse("a tar that does not end", err);
	*out = (struct layer_written){.kind = indexed->kind};
	r = indexed->kind == LAYER_ESTARGZ ? estargz_end(indexed, out, err)
					   : chunked_end(indexed, out, err);
	if (r == 0)
		r = encoder_finish(indexed->encoder, &out->digest, &out->size,
		    err);
	return r < 0 ? settle(err) : 0;
}
