/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of any format. A plain one is cut where a file's data begins, if that
 * file would not be whole otherwise: all of a file is then in one member or
 * frame, at its start if it is large.
 */
#include "layer/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "indexed.h"
#include "stream/encoder.h"
#include "tar/walker.h"

enum {
	/* Members of 512 KiB cost 0.2 percent against 1 MiB, and half the
	 * memory. */
	GZIP_PIECE = 512 << 10,
	/* Against a single frame these cost 3 to 5 percent, 1 MiB 8 and 4 MiB
	 * 2; and what is read of a file is a frame. */
	ZSTD_PIECE = 2 << 20,
	/* A cut leaves this part of a piece at least, as small ones compress
	 * worse. */
	LEAST_PART = 4,
};

struct layer_writer {
	enum layer_kind kind;
	struct indexed *indexed; /* if the kind has a table; else: */

	struct encoder *encoder;
	size_t piece_size;
	struct tar_walker *walker; /* NULL: it is no tar */
	uint64_t taken;            /* bytes of the tar */
	const uint8_t *next;       /* what comes, while it is being taken */
};

static const enum layer_kind kinds[] = {LAYER_GZIP, LAYER_ZSTD, LAYER_ESTARGZ,
    LAYER_ZSTD_CHUNKED};

static bool parse_kind(const char **cursor, enum layer_kind *out)
{
	size_t longest = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *name = layer_kind_name(kinds[i]);
		size_t len = strlen(name);

		/* Of "zstd" and "zstd:chunked" that one. */
		if (len > longest && strncmp(*cursor, name, len) == 0) {
			longest = len;
			*out = kinds[i];
		}
	}
	*cursor += longest;
	return longest > 0;
}

int layer_format_parse(struct layer_format *out, const char *text,
    struct err *err)
{
	struct layer_format format = {.kind = LAYER_ANY};
	const char *cursor = text;
	bool is_zstd;
	uint64_t level = 0;

	if (!parse_kind(&cursor, &format.kind) || (*cursor && *cursor != ':'))
		return err_set(err, EINVAL,
		    "%s: use gzip, zstd, estargz or zstd:chunked, or one of "
		    "them followed by :LEVEL",
		    text);
	is_zstd = layer_kind_plain(format.kind) == LAYER_ZSTD;
	format.has_level = parse_literal(&cursor, ":");
	if (format.has_level && (!parse_u64(&cursor,
				     is_zstd ? COMPRESSION_ZSTD_LEVEL_MAX
					     : COMPRESSION_GZIP_LEVEL_MAX,
				     &level) ||
				    *cursor || (is_zstd && level == 0)))
		return err_set(err, EINVAL, "%s: levels of %s are from %s",
		    text, layer_kind_name(format.kind),
		    is_zstd ? "1 to 22" : "0 to 9");
	format.level = (int)level;
	*out = format;
	return 0;
}

/* Takes what is before that place in the tar. */
static int take_up_to(struct layer_writer *writer, uint64_t end,
    struct err *err)
{
	size_t len = (size_t)(end - writer->taken);
	int r = encoder_write(writer->encoder, writer->next, len, err);

	writer->taken = end;
	writer->next += len;
	return r;
}

/* A walker's. */
static int take_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct layer_writer *writer = arg;
	size_t piece = writer->piece_size, room;
	int r;

	if (entry->size == 0)
		return 0;
	r = take_up_to(writer, entry->offset, err);
	room = encoder_room(writer->encoder);
	if (r < 0 || entry->size <= room || piece - room < piece / LEAST_PART)
		return r;
	return encoder_cut(writer->encoder, piece, 0, err);
}

static int begin_plain(struct layer_writer *writer,
    const struct layer_writer_options *options, struct err *err)
{
	bool is_zstd = writer->kind == LAYER_ZSTD;
	const struct layer_format *format = &options->format;
	const struct tar_handler handler = {take_entry, NULL, writer};
	const struct encoder_options encoder = {.compression =
						    is_zstd ? COMPRESSION_ZSTD
							    : COMPRESSION_GZIP,
	    .level =
		format->has_level ? format->level : COMPRESSION_LEVEL_DEFAULT,
	    .piece_size = is_zstd ? ZSTD_PIECE : GZIP_PIECE,
	    .pool = options->pool,
	    .parallel = options->parallel,
	    .fd = options->fd};
	int r = encoder_new(&encoder, &writer->encoder, err);

	writer->piece_size = encoder.piece_size;
	return r < 0 ? r : tar_walker_new(&handler, &writer->walker, err);
}

int layer_writer_new(const struct layer_writer_options *options,
    struct layer_writer **out, struct err *err)
{
	CLEANUP(layer_writer_free_p)
	struct layer_writer *writer = calloc(1, sizeof(*writer));
	enum layer_kind kind = options->format.kind;
	int r;

	if (!writer)
		return err_nomem(err);
	writer->kind = kind == LAYER_ANY ? LAYER_GZIP : kind;
	r = writer->kind == layer_kind_plain(kind)
		? begin_plain(writer, options, err)
		: indexed_new(options, &writer->indexed, err);
	if (r == 0)
		*out = steal(&writer);
	return r;
}

void layer_writer_free(struct layer_writer *writer)
{
	if (!writer)
		return;
	indexed_free(writer->indexed);
	encoder_free(writer->encoder);
	tar_walker_free(writer->walker);
	free(writer);
}

static int write_plain(struct layer_writer *writer, const void *data,
    size_t len, struct err *err)
{
	uint64_t end = writer->taken + len;
	struct err broken = ERR_INIT;
	int r = 0;

	writer->next = data;
	if (writer->walker)
		r = tar_walker_feed(writer->walker, data, len, NULL, &broken);
	if (r < 0 && r != -EINVAL) {
		*err = broken;
		return r;
	}
	/* Only the walker says EINVAL. */
	if (r < 0)
		tar_walker_free(steal(&writer->walker));
	return take_up_to(writer, end, err);
}

int layer_writer_write(struct layer_writer *writer, const void *data,
    size_t len, struct err *err)
{
	return writer->indexed ? indexed_write(writer->indexed, data, len, err)
			       : write_plain(writer, data, len, err);
}

int layer_writer_finish(struct layer_writer *writer, struct layer_written *out,
    struct err *err)
{
	if (writer->indexed)
		return indexed_finish(writer->indexed, out, err);
	*out = (struct layer_written){.kind = writer->kind};
	return encoder_finish(writer->encoder, &out->digest, &out->size, err);
}
