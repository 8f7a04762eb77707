/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What eStargz adds to a layer's tar, stargz-snapshotter's docs/estargz.md: a
 * landmark that says that nothing need be fetched ahead, as the first entry;
 * the table as the last one, in a member of its own; and a footer.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/container.h"
#include "build/paths.h"
#include "indexed.h"
#include "tar/header.h"

static const char landmark[] = ".no.prefetch.landmark";
static const char table_name[] = "stargz.index.json";

bool estargz_owns(const char *name)
{
	AUTO_FREE char *clean = strdup(name);

	if (!clean)
		return false;
	paths_clean(clean);
	return strcmp(clean, landmark) == 0 || strcmp(clean, table_name) == 0 ||
	       strcmp(clean, ".prefetch.landmark") == 0;
}

/* Puts the landmark in front of the tar. */
int estargz_begin(struct indexed *indexed, struct err *err)
{
	static const uint8_t data[TAR_BLOCK] = {0x0f};
	const struct tar_entry entry = {.type = TAR_FILE,
	    .name = landmark,
	    .link = "",
	    .size = 1,
	    .raw_mode = 0644};
	int r;

	indexed->tar = hasher_new(DIGEST_SHA256, err);
	if (!indexed->tar)
		return -err->code;
	r = tar_header_print(&indexed->between, landmark, entry.size, 0, err);
	if (r == 0)
		r = indexed_begin(indexed, &entry, false, err);
	if (r == 0)
		r = indexed_add(indexed, data, entry.size, err);
	buf_reset(&indexed->between);
	return r < 0 ? r
		     : indexed_put(indexed, data + entry.size,
			   tar_padding(entry.size), err);
}

/* The table on its way: JSON comes in, and a tar of it is compressed. */
struct table {
	struct sink json; /* what is decoded */
	struct sink blob; /* what is compressed */
	struct indexed *indexed;
	struct hasher *hasher; /* of the JSON */
	struct gzip_stream *gzip;
};

static void table_release(struct table *table)
{
	hasher_free(table->hasher);
	gzip_stream_free(table->gzip);
}

static int write_blob(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct table *table = container_of(sink, struct table, blob);

	return encoder_append(table->indexed->encoder, data, len, err);
}

static int write_tar(struct table *table, const void *data, size_t len,
    struct err *err)
{
	int r = hasher_update(table->indexed->tar, data, len, err);

	table->indexed->tar_size += len;
	return r < 0 ? r : gzip_stream_write(table->gzip, data, len, err);
}

static int write_json(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct table *table = container_of(sink, struct table, json);
	int r = hasher_update(table->hasher, data, len, err);

	return r < 0 ? r : write_tar(table, data, len, err);
}

static int write_json_all(struct table *table, const struct buf *compressed,
    uint64_t size, struct err *err)
{
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	int r =
	    decoder_new(COMPRESSION_ZSTD, &table->json, size, &decoder, err);

	return r < 0 ? r
		     : decoder_write(decoder, compressed->data, compressed->len,
			   err);
}

/* Writes the table's member, of JSON that is compressed otherwise. */
static int write_table(struct indexed *indexed, const struct buf *json,
    uint64_t size, struct digest *digest, struct err *err)
{
	static const char zeros[3 * TAR_BLOCK];
	CLEANUP(table_release)
	struct table table = {{write_json}, {write_blob}, indexed, NULL, NULL};
	AUTO_BUF struct buf header = BUF_INIT(TAR_EXTENDED_MAX);
	int r = gzip_stream_new(&table.blob, &table.gzip, err);

	table.hasher = hasher_new(DIGEST_SHA256, err);
	if (r < 0 || !table.hasher)
		return -err->code;
	r = tar_header_print(&header, table_name, size, 0, err);
	if (r == 0)
		r = write_tar(&table, header.data, header.len, err);
	if (r == 0)
		r = write_json_all(&table, json, size, err);
	if (r == 0)
		r = write_tar(&table, zeros, tar_padding(size) + 2 * TAR_BLOCK,
		    err);
	if (r == 0)
		r = gzip_stream_finish(table.gzip, err);
	return r < 0 ? r : hasher_finish(table.hasher, digest, err);
}

/* A gzip member without data whose extra field says where the table is. */
static int write_footer(struct indexed *indexed, uint64_t table,
    struct err *err)
{
	static const uint8_t head[] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff,
	    26, 0, 'S', 'G', 22, 0};
	static const uint8_t tail[] = {1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0,
	    0};
	AUTO_BUF struct buf footer = BUF_INIT(64);
	int r = buf_add(&footer, head, sizeof(head), err);

	if (r == 0)
		r = buf_addf(&footer, err, "%016" PRIx64 "STARGZ", table);
	if (r == 0)
		r = buf_add(&footer, tail, sizeof(tail), err);
	return r < 0 ? r
		     : encoder_append(indexed->encoder, footer.data, footer.len,
			   err);
}

static void annotate(const struct indexed *indexed, const struct digest *json,
    struct layer_written *out)
{
	char digest[DIGEST_TEXT_SIZE], size[24];

	snprintf(size, sizeof(size), "%" PRIu64, indexed->tar_size);
	layer_annotations_add(&out->annotations, ANNOTATION_ESTARGZ_DIGEST,
	    digest_format(json, digest));
	layer_annotations_add(&out->annotations, ANNOTATION_ESTARGZ_SIZE, size);
}

int estargz_end(struct indexed *indexed, struct layer_written *out,
    struct err *err)
{
	const struct buf *json;
	struct digest digest;
	uint64_t size, table;
	/* Not the blocks that end the tar: the table is its last entry. */
	int r =
	    indexed_put_between(indexed, tar_padding(indexed->body_end), err);

	if (r == 0)
		r = encoder_flush(indexed->encoder, &table, err);
	if (r == 0)
		r = toc_writer_end(indexed->toc, NULL, &json, &size, err);
	if (r == 0)
		r = write_table(indexed, json, size, &digest, err);
	if (r == 0)
		r = write_footer(indexed, table, err);
	if (r == 0)
		r = hasher_finish(indexed->tar, &out->diff_id, err);
	if (r == 0)
		annotate(indexed, &digest, out);
	return r;
}
