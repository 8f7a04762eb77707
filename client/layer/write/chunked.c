/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What zstd:chunked has after a layer's frames, containers/storage's
 * pkg/chunked: the table, tar-split's data and a footer, each in a frame that
 * decoders pass over. Annotations say where they are; nobody reads the footer.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "indexed.h"

enum { SKIPPABLE_MAGIC = 0x184D2A50, TYPE_CRFS = 1 };

static const char footer_magic[] = "GNUlInUx";

/* A part that was written: where it is, what it takes there, what it holds. */
struct chunked_part {
	uint64_t offset, len, size;
};

static int write_skippable(struct indexed *indexed, const void *data,
    size_t len, uint64_t *offset, struct err *err)
{
	const uint32_t head[] = {htole32(SKIPPABLE_MAGIC),
	    htole32((uint32_t)len)};
	int r = encoder_append(indexed->encoder, head, sizeof(head), err);

	if (r == 0)
		r = encoder_flush(indexed->encoder, offset, err);
	return r < 0 ? r : encoder_append(indexed->encoder, data, len, err);
}

static int write_part(struct indexed *indexed, const struct buf *data,
    struct chunked_part *part, struct err *err)
{
	part->len = data->len;
	return write_skippable(indexed, data->data, data->len, &part->offset,
	    err);
}

static int write_footer(struct indexed *indexed,
    const struct chunked_part *table, const struct chunked_part *split,
    struct err *err)
{
	uint64_t footer[] = {htole64(table->offset), htole64(table->len),
	    htole64(table->size), htole64(TYPE_CRFS), htole64(split->offset),
	    htole64(split->len), htole64(split->size), 0};
	uint64_t ignored;

	memcpy(&footer[7], footer_magic, sizeof(footer[7]));
	return write_skippable(indexed, footer, sizeof(footer), &ignored, err);
}

static void annotate(const struct digest *checksum,
    const struct chunked_part *table, const struct chunked_part *split,
    struct layer_written *out)
{
	struct layer_annotations *annotations = &out->annotations;
	char text[LAYER_ANNOTATION_SIZE], digest[DIGEST_TEXT_SIZE];

	digest_format(checksum, digest);
	layer_annotations_add(annotations,
	    ANNOTATION_CHUNKED ANNOTATION_CHECKSUM, digest);
	layer_annotations_add(annotations,
	    ANNOTATION_CHUNKED_OLD ANNOTATION_CHECKSUM, digest);
	snprintf(text, sizeof(text), "%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%d",
	    table->offset, table->len, table->size, TYPE_CRFS);
	layer_annotations_add(annotations,
	    ANNOTATION_CHUNKED ANNOTATION_POSITION, text);
	layer_annotations_add(annotations,
	    ANNOTATION_CHUNKED_OLD ANNOTATION_POSITION, text);
	snprintf(text, sizeof(text), "%" PRIu64 ":%" PRIu64 ":%" PRIu64,
	    split->offset, split->len, split->size);
	layer_annotations_add(annotations,
	    ANNOTATION_CHUNKED ANNOTATION_TAR_SPLIT, text);
}

/* The frame after the last file. */
static int write_tail(struct indexed *indexed, struct err *err)
{
	const struct buf *between = &indexed->between;
	int r = indexed_put_between(indexed, between->len, err);

	if (r < 0 || between->len == 0)
		return r;
	return tar_split_add(indexed->split, between->data, between->len, err);
}

/* Writes the table and what it vouches for, the one before the other. */
static int write_parts(struct indexed *indexed, struct layer_written *out,
    struct err *err)
{
	const struct buf *split_data, *table_data;
	struct chunked_part split, table;
	struct digest digest;
	int r = tar_split_end(indexed->split, &split_data, &split.size, err);

	if (r == 0)
		r = digest_of(DIGEST_SHA256, split_data->data, split_data->len,
		    &digest, err);
	if (r == 0)
		r = toc_writer_end(indexed->toc, &digest, &table_data,
		    &table.size, err);
	if (r == 0)
		r = digest_of(DIGEST_SHA256, table_data->data, table_data->len,
		    &digest, err);
	if (r == 0)
		r = write_part(indexed, table_data, &table, err);
	if (r == 0)
		r = write_part(indexed, split_data, &split, err);
	if (r == 0)
		r = write_footer(indexed, &table, &split, err);
	if (r == 0)
		annotate(&digest, &table, &split, out);
	return r;
}

int chunked_end(struct indexed *indexed, struct layer_written *out,
    struct err *err)
{
	uint64_t ignored;
	int r = write_tail(indexed, err);

	if (r == 0)
		r = encoder_flush(indexed->encoder, &ignored, err);
	return r < 0 ? r : write_parts(indexed, out, err);
}
