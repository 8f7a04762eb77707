/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a table of contents, in one pass and without ever holding it:
 *
 *	zstd:chunked: its range ──> hash ──> zstd ─────────────> JSON
 *	eStargz:      its range ──> gzip ──> file in a tar ──> hash ──> JSON
 */
#include <errno.h>
#include <string.h>

#include "base/container.h"
#include "base/parse.h"
#include "fill.h"
#include "index/limits.h"
#include "json.h"
#include "stream/compression.h"
#include "toc.h"

enum {
	/* One read of the blob: a request, and a buffer. */
	PIECE_SIZE = 4 << 20,

	/* The end of an eStargz blob that is read at first. In layers of up to
	 * some thousand entries that is the whole table. */
	TAIL_SIZE = 128 << 10,

	/* What decoded tables have around the JSON. */
	TAR_SLACK = 1 << 20,
};

/* eStargz's footer: a gzip member without data, with a field that says where
 * the table is. */
enum { FOOTER_SIZE = 51, FOOTER_OFFSET = 16, FOOTER_MAGIC = 32 };

static const uint8_t footer_head[FOOTER_OFFSET] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0,
    0, 0xff, 26, 0, 'S', 'G', 22, 0};
static const char footer_magic[] = "STARGZ";

static const char file_name[] = "stargz.index.json";

/* A range of the blob, the end of which may have been read already. */
struct range {
	uint64_t offset, end;
	const uint8_t *tail; /* from tail_offset on */
	uint64_t tail_offset;
};

/* What is to be read next, of a blob. */
struct toc_cursor {
	const struct toc_blob *blob;
	uint64_t offset, end;
};

struct toc_reading {
	struct toc_cursor pieces;
	struct toc_fill fill;
	struct toc_json *json;
	struct hasher *hasher;
	struct decoder *decoder;
	bool hashes_input; /* what comes from the blob, not the JSON */

	/* eStargz: what the decoder writes to. */
	struct tar_walker *walker;
	bool has_file;
};

struct reading_sink {
	struct sink sink;
	struct toc_reading *reading;
};

static void reading_release(struct toc_reading *reading)
{
	toc_fill_release(&reading->fill);
	toc_json_free(reading->json);
	hasher_free(reading->hasher);
	decoder_free(reading->decoder);
	tar_walker_free(reading->walker);
}

static struct toc_reading *reading_of(struct sink *sink)
{
	return container_of(sink, struct reading_sink, sink)->reading;
}

/* zstd:chunked's decoder writes here. */
static int write_json(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	return toc_json_feed(reading_of(sink)->json, data, len, err);
}

/* eStargz's decoder writes here. What is after the tar's end means nothing. */
static int write_tar(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	int r = tar_walker_feed(reading_of(sink)->walker, data, len, NULL, err);

	return r < 0 ? r : 0;
}

static int check_file(void *arg, const struct tar_entry *entry, struct err *err)
{
	struct toc_reading *reading = arg;

	if (reading->has_file || entry->type != TAR_FILE || entry->is_sparse ||
	    strcmp(entry->name, file_name) != 0)
		return err_set(err, EINVAL, "its tar does not hold %s alone",
		    file_name);
	if (entry->size > TOC_DECODED_MAX)
		return err_set(err, EINVAL, "the %s is too large", file_name);
	reading->has_file = true;
	return 0;
}

static int take_file(void *arg, const void *data, size_t len, struct err *err)
{
	struct toc_reading *reading = arg;
	int r = hasher_update(reading->hasher, data, len, err);

	return r < 0 ? r : toc_json_feed(reading->json, data, len, err);
}

static int take_input(struct toc_reading *reading, const void *data, size_t len,
    struct err *err)
{
	int r = 0;

	if (reading->hashes_input)
		r = hasher_update(reading->hasher, data, len, err);
	return r < 0 ? r : decoder_write(reading->decoder, data, len, err);
}

/* The next piece: its length, or an error. */
static int read_piece(struct toc_cursor *pieces, void *data, struct err *err)
{
	uint64_t left = pieces->end - pieces->offset;
	size_t len = left < PIECE_SIZE ? (size_t)left : PIECE_SIZE;
	const struct toc_blob *blob = pieces->blob;
	int r = blob->read(blob->arg, data, len, pieces->offset, err);

	pieces->offset += len;
	return r < 0 ? r : (int)len;
}

/* Fetches the rest: a decoder with a large window does not wait for the
 * network. */
static int await_rest(void *arg, struct err *err)
{
	struct toc_cursor rest = *(const struct toc_cursor *)arg;
	AUTO_FREE void *piece = malloc(PIECE_SIZE);
	int r = piece ? 0 : err_nomem(err);

	while (r >= 0 && rest.offset < rest.end)
		r = read_piece(&rest, piece, err);
	return r < 0 ? r : 0;
}

/* Reads what is not in the tail, piece by piece. */
static int take_pieces(struct toc_reading *reading, const struct toc_blob *blob,
    uint64_t offset, uint64_t end, struct err *err)
{
	struct toc_cursor *pieces = &reading->pieces;
	AUTO_FREE void *piece = malloc(PIECE_SIZE);
	int r = piece ? 0 : err_nomem(err);

	*pieces = (struct toc_cursor){blob, offset, end};
	while (r >= 0 && pieces->offset < end) {
		r = read_piece(pieces, piece, err);
		if (r >= 0)
			r = take_input(reading, piece, (size_t)r, err);
	}
	return r < 0 ? r : 0;
}

static int take_range(struct toc_reading *reading, const struct toc_blob *blob,
    const struct range *range, struct err *err)
{
	uint64_t border =
	    range->tail_offset < range->end ? range->tail_offset : range->end;
	int r = 0;

	if (range->offset < border)
		r = take_pieces(reading, blob, range->offset, border, err);
	else
		border = range->offset;
	if (r < 0 || border == range->end)
		return r;
	return take_input(reading, range->tail + (border - range->tail_offset),
	    range->end - border, err);
}

/* The digest first: what is wrong with a table that is not ours does not
 * matter. */
static int finish(struct toc_reading *reading, const struct digest *want,
    struct err *err)
{
	struct digest digest;
	int r = 0;

	if (!decoder_at_end(reading->decoder))
		return err_set(err, EINVAL, "its data is truncated");
	r = hasher_finish(reading->hasher, &digest, err);
	if (r < 0)
		return r;
	if (!digest_equal(&digest, want))
		return err_set(err, EBADMSG,
		    "its digest is not what the manifest says");
	r = toc_json_end(reading->json, err);
	return r < 0 ? r : toc_fill_end(&reading->fill, err);
}

static int read_range(struct toc_reading *reading, const struct toc *toc,
    const struct toc_blob *blob, const struct range *range,
    struct builder *builder, struct err *err)
{
	int r;

	toc_fill_init(&reading->fill, builder, range->offset);
	reading->hasher = hasher_new(toc->digest.algorithm, err);
	if (!reading->hasher)
		return -err->code;
	r = toc_json_new(toc_fill_entry, &reading->fill, &reading->json, err);
	if (r == 0)
		r = take_range(reading, blob, range, err);
	return r < 0 ? r : finish(reading, &toc->digest, err);
}

static int read_chunked(struct toc_reading *reading, const struct toc *toc,
    const struct toc_blob *blob, struct builder *builder, struct err *err)
{
	struct reading_sink sink = {{write_json}, reading};
	struct range range = {
	    .offset = toc->offset,
	    .end = toc->offset + toc->len,
	    .tail_offset = UINT64_MAX,
	};
	int r;

	if (toc->len > blob->size || toc->offset > blob->size - toc->len)
		return err_set(err, EINVAL, "it is not in the blob");
	reading->hashes_input = true;
	r = decoder_new(COMPRESSION_ZSTD, &sink.sink, toc->decoded_len,
	    &reading->decoder, err);
	if (r < 0)
		return r;
	decoder_share(reading->decoder, &windows_of_layers, await_rest,
	    &reading->pieces);
	return read_range(reading, toc, blob, &range, builder, err);
}

/* Where the table is in a blob that ends in this footer; false if that is
 * none. */
static bool parse_footer(const uint8_t footer[FOOTER_SIZE], uint64_t *offset)
{
	const char *hex = (const char *)footer + FOOTER_OFFSET;
	uint8_t bytes[8];

	if (memcmp(footer, footer_head, sizeof(footer_head)) != 0 ||
	    memcmp(footer + FOOTER_MAGIC, footer_magic, strlen(footer_magic)) !=
		0 ||
	    !parse_hex(&hex, bytes, sizeof(bytes)))
		return false;
	*offset = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		*offset = *offset << 8 | bytes[i];
	return true;
}

/* Reads the end of the blob, and in it where the table is. */
static int read_tail(const struct toc_blob *blob, uint8_t tail[TAIL_SIZE],
    struct range *out, struct err *err)
{
	size_t len = blob->size < TAIL_SIZE ? blob->size : TAIL_SIZE;
	int r;

	if (len < FOOTER_SIZE)
		return err_set(err, EINVAL,
		    "the blob is too small for a table of contents");
	out->tail = tail;
	out->tail_offset = blob->size - len;
	out->end = blob->size - FOOTER_SIZE;
	r = blob->read(blob->arg, tail, len, out->tail_offset, err);
	if (r < 0)
		return r;
	if (!parse_footer(tail + len - FOOTER_SIZE, &out->offset))
		return err_set(err, EINVAL,
		    "the blob does not end in an eStargz footer");
	if (out->offset >= out->end || out->end - out->offset > TOC_DECODED_MAX)
		return err_set(err, EINVAL,
		    "the footer gives an impossible position");
	return 0;
}

static int read_estargz(struct toc_reading *reading, const struct toc *toc,
    const struct toc_blob *blob, struct builder *builder, struct err *err)
{
	struct reading_sink sink = {{write_tar}, reading};
	const struct tar_handler handler = {check_file, take_file, reading};
	AUTO_FREE uint8_t *tail = malloc(TAIL_SIZE);
	struct range range;
	int r;

	if (!tail)
		return err_nomem(err);
	r = read_tail(blob, tail, &range, err);
	if (r == 0)
		r = tar_walker_new(&handler, &reading->walker, err);
	if (r == 0)
		r = decoder_new(COMPRESSION_GZIP, &sink.sink,
		    TOC_DECODED_MAX + TAR_SLACK, &reading->decoder, err);
	return r < 0 ? r : read_range(reading, toc, blob, &range, builder, err);
}

int toc_read(const struct toc *toc, const struct toc_blob *blob,
    struct builder *builder, struct layer_facts *facts, struct err *err)
{
	CLEANUP(reading_release)
	struct toc_reading reading = {.has_file = false};
	int r = toc->kind == TOC_CHUNKED
		    ? read_chunked(&reading, toc, blob, builder, err)
		    : read_estargz(&reading, toc, blob, builder, err);

	/* Whatever it is that is too large here: it cannot be used. */
	if (r == -EFBIG)
		err->code = EINVAL;
	if (r < 0)
		return err_wrap(err, "the layer's table of contents");
	facts->vouching = LAYER_BY_CHUNKS;
	facts->compression =
	    toc->kind == TOC_CHUNKED ? COMPRESSION_ZSTD : COMPRESSION_GZIP;
	facts->stream_size = reading.fill.out;
	return 0;
}
