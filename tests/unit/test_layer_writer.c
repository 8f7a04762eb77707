/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers that are written: in each format what is decoded is the tar, whatever
 * the threads and the pieces in which it came, and what the table of contents
 * says is where it says.
 */
#include "toc_fixture.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "layer/writer.h"

enum { TAR_MAX = 64 << 20, MEMBERS_MAX = 4096, PIECE = 512 << 10 };

static struct pool *pool;

/* Some of it compresses, and no two files are the same. */
static void add_bytes(struct buf *tar, const char *name, size_t size)
{
	static const char zeros[TAR_BLOCK];
	uint32_t x = (uint32_t)size * 2654435761u + (uint32_t)tar->len;
	struct err err = ERR_INIT;

	assert_int_equal(tar_header_print(tar, name, size, 1, &err), 0);
	assert_int_equal(buf_reserve(tar, size, &err), 0);
	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		tar->data[tar->len++] = (char)('a' + (x >> 28));
	}
	put(tar, zeros, tar_padding(size));
}

static void end_tar(struct buf *tar)
{
	static const char zeros[2 * TAR_BLOCK];

	put(tar, zeros, sizeof(zeros));
}

static const size_t sizes[] = {1, 600000, 0, 100000, 200000, 300000, 1 << 20,
    (2 << 20) + 77, 511, 512, 513};

enum { FILES = sizeof(sizes) / sizeof(*sizes), SMALL = 1500 };

static struct buf make_tar(void)
{
	struct buf tar = BUF_INIT(TAR_MAX);
	char name[64];

	add_bytes(&tar, "dir/", 0);
	for (size_t i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "dir/%zu", i);
		add_bytes(&tar, name, sizes[i]);
	}
	for (size_t i = 0; i < SMALL; i++) {
		snprintf(name, sizeof(name), "small/%zu", i);
		add_bytes(&tar, name, i % 700);
	}
	end_tar(&tar);
	return tar;
}

static int write_all(struct layer_writer *writer, const struct buf *tar,
    size_t piece, struct err *err)
{
	int r = 0;

	for (size_t done = 0; done < tar->len && r == 0; done += piece) {
		size_t left = tar->len - done;

		r = layer_writer_write(writer, tar->data + done,
		    left < piece ? left : piece, err);
	}
	return r;
}

/* Writes a layer and reads the blob back. What failed, or 0. */
static int make(enum layer_kind kind, const struct buf *tar, unsigned parallel,
    size_t piece, struct layer_written *out, struct buf *blob, struct err *err)
{
	AUTO_FD int fd = file_temp("/tmp", err);
	const struct layer_writer_options options = {.format.kind = kind,
	    .pool = pool,
	    .parallel = parallel,
	    .fd = fd};
	CLEANUP(layer_writer_free_p) struct layer_writer *writer = NULL;
	int r = layer_writer_new(&options, &writer, err);

	if (r == 0)
		r = write_all(writer, tar, piece, err);
	if (r == 0)
		r = layer_writer_finish(writer, out, err);
	if (r < 0)
		return r;
	assert_int_equal(buf_reserve(blob, out->size, err), 0);
	assert_int_equal(file_pread(fd, blob->data, out->size, 0, err),
	    out->size);
	blob->len = out->size;
	return 0;
}

static void check_digest(const struct digest *digest, const void *data,
    size_t len)
{
	struct err err = ERR_INIT;
	struct digest got;

	assert_int_equal(digest_of(DIGEST_SHA256, data, len, &got, &err), 0);
	assert_true(digest_equal(digest, &got));
}

/* Decodes, and notes where in the output members begin. */
struct decoded {
	struct sink sink;
	struct buf data;
	size_t begins[MEMBERS_MAX];
	size_t count;
};

static int take(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	return buf_add(&((struct decoded *)sink)->data, data, len, err);
}

/* In pieces of so many bytes: members are found to end at a piece's end. */
static void decode(enum layer_kind kind, const struct buf *blob, size_t piece,
    struct decoded *out)
{
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	enum compression compression = layer_kind_plain(kind) == LAYER_ZSTD
					   ? COMPRESSION_ZSTD
					   : COMPRESSION_GZIP;
	struct err err = ERR_INIT;

	*out = (struct decoded){.sink = {take}, .data = BUF_INIT(TAR_MAX)};
	assert_int_equal(decoder_new(compression, &out->sink, TAR_MAX, &decoder,
			     &err),
	    0);
	for (size_t done = 0; done < blob->len; done += piece) {
		size_t left = blob->len - done;

		if (decoder_write(decoder, blob->data + done,
			left < piece ? left : piece, &err) < 0)
			fail_msg("%s", err.msg);
		if (decoder_at_end(decoder) && out->count < MEMBERS_MAX)
			out->begins[out->count++] = out->data.len;
	}
	assert_true(decoder_at_end(decoder));
}

static bool begins_at(const struct decoded *decoded, size_t at)
{
	for (size_t i = 0; i < decoded->count; i++)
		if (decoded->begins[i] == at)
			return true;
	return false;
}

static const enum layer_kind kinds[] = {LAYER_GZIP, LAYER_ZSTD, LAYER_ESTARGZ,
    LAYER_ZSTD_CHUNKED};

#define FOR_EACH_KIND(kind) \
	for (size_t k_ = 0; k_ < 4 && (((kind) = kinds[k_]) != LAYER_ANY); k_++)

static void round_trip(void **state)
{
	AUTO_BUF struct buf tar = make_tar();
	enum layer_kind kind;

	(void)state;
	FOR_EACH_KIND(kind)
	{
		AUTO_BUF struct buf blob = BUF_INIT(TAR_MAX);
		struct layer_written written;
		struct decoded decoded;
		struct err err = ERR_INIT;

		assert_int_equal(make(kind, &tar, 2, 100000, &written, &blob,
				     &err),
		    0);
		assert_int_equal(written.kind, kind);
		check_digest(&written.digest, blob.data, blob.len);
		decode(kind, &blob, TAR_MAX, &decoded);
		if (kind == LAYER_ESTARGZ) {
			check_digest(&written.diff_id, decoded.data.data,
			    decoded.data.len);
			/* The landmark is before, the table behind it. */
			assert_memory_equal(decoded.data.data + 2 * TAR_BLOCK,
			    tar.data, tar.len - 2 * TAR_BLOCK);
		} else {
			assert_false(digest_is_set(&written.diff_id));
			assert_int_equal(decoded.data.len, tar.len);
			assert_memory_equal(decoded.data.data, tar.data,
			    tar.len);
		}
		buf_release(&decoded.data);
	}
}

static void same_bytes(void **state)
{
	static const size_t pieces[] = {511, 4096, 1 << 20, TAR_MAX};
	AUTO_BUF struct buf tar = make_tar();
	enum layer_kind kind;

	(void)state;
	FOR_EACH_KIND(kind)
	{
		struct layer_written first = {.size = 0};

		for (unsigned i = 0; i < 4; i++) {
			AUTO_BUF struct buf blob = BUF_INIT(TAR_MAX);
			struct layer_written written;
			struct err err = ERR_INIT;

			assert_int_equal(make(kind, &tar, 1 + i, pieces[i],
					     &written, &blob, &err),
			    0);
			if (i == 0)
				first = written;
			assert_true(
			    digest_equal(&first.digest, &written.digest));
			assert_true(
			    digest_equal(&first.diff_id, &written.diff_id));
			assert_memory_equal(&first.annotations,
			    &written.annotations, sizeof(first.annotations));
		}
	}
}

/* Where the data of the first files is in the tar. */
static size_t data_at(size_t file)
{
	size_t at = TAR_BLOCK;

	for (size_t i = 0; i < file; i++)
		at += TAR_BLOCK + sizes[i] + tar_padding(sizes[i]);
	return at + TAR_BLOCK;
}

/* A file that would be cut begins a member, if what is before it is enough for
 * one. */
static void plain_borders(void **state)
{
	AUTO_BUF struct buf tar = make_tar();
	AUTO_BUF struct buf blob = BUF_INIT(TAR_MAX);
	struct layer_written written;
	struct decoded decoded;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(make(LAYER_GZIP, &tar, 2, 100000, &written, &blob,
			     &err),
	    0);
	decode(LAYER_GZIP, &blob, 1, &decoded);
	/* 600,000 bytes behind next to nothing */
	assert_false(begins_at(&decoded, data_at(1)));
	/* 300,000 behind some 90,000 of that file, 100,000 and 200,000 */
	assert_true(begins_at(&decoded, data_at(5)));
	assert_true(begins_at(&decoded, data_at(6)));
	assert_true(begins_at(&decoded, data_at(6) + PIECE));
	for (size_t i = 1; i < decoded.count; i++)
		assert_true(decoded.begins[i] - decoded.begins[i - 1] <= PIECE);
	buf_release(&decoded.data);
}

/* What is no tar, or a broken one, is a layer in a plain format all the same,
 * cut by its size. */
static void plain_takes_anything(void **state)
{
	enum layer_kind kind;

	(void)state;
	FOR_EACH_KIND(kind)
	{
		AUTO_BUF struct buf tar = make_tar();
		AUTO_BUF struct buf blob = BUF_INIT(TAR_MAX);
		struct layer_written written;
		struct decoded decoded;
		struct err err = ERR_INIT;
		int r;

		memset(tar.data + data_at(3) - TAR_BLOCK, 'x', TAR_BLOCK);
		r = make(kind, &tar, 2, 100000, &written, &blob, &err);
		if (kind != layer_kind_plain(kind)) {
			assert_int_equal(r, -EOPNOTSUPP);
			continue;
		}
		assert_int_equal(r, 0);
		decode(kind, &blob, TAR_MAX, &decoded);
		assert_int_equal(decoded.data.len, tar.len);
		assert_memory_equal(decoded.data.data, tar.data, tar.len);
		buf_release(&decoded.data);
	}
}

static void nothing_at_all(void **state)
{
	enum layer_kind kind;

	(void)state;
	FOR_EACH_KIND(kind)
	{
		struct buf tar = BUF_INIT(0);
		AUTO_BUF struct buf blob = BUF_INIT(TAR_MAX);
		struct layer_written written;
		struct decoded decoded;
		struct err err = ERR_INIT;

		assert_int_equal(make(kind, &tar, 2, 1, &written, &blob, &err),
		    0);
		decode(kind, &blob, TAR_MAX, &decoded);
		if (kind != LAYER_ESTARGZ)
			assert_int_equal(decoded.data.len, 0);
		buf_release(&decoded.data);
	}
}

/* A table of contents, as it is found by a descriptor and read. */
static void open_table(const struct layer_written *written, struct made *made,
    struct layer_index **index)
{
	struct annotation room[LAYER_ANNOTATIONS_MAX];
	const struct layer_annotations *annotations = &written->annotations;
	struct descriptor descriptor = {.size = written->size,
	    .annotations = room,
	    .annotation_count = annotations->count};

	for (size_t i = 0; i < annotations->count; i++)
		room[i] = (struct annotation){annotations->list[i].name,
		    annotations->list[i].value};
	toc_find(&descriptor, &made->toc);
	assert_int_equal(made->toc.kind, made->kind);
	*index = made_index(made);
}

/* All files, decoded from where the table says that they are. */
static void tables(void **state)
{
	AUTO_BUF struct buf tar = make_tar();

	(void)state;
	for (enum layer_kind kind = LAYER_ESTARGZ; kind <= LAYER_ZSTD_CHUNKED;
	     kind++) {
		AUTO_MADE struct made made = toc_made_new(
		    kind == LAYER_ESTARGZ ? TOC_ESTARGZ : TOC_CHUNKED);
		CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
		struct layer_written written;
		struct err err = ERR_INIT;

		assert_int_equal(make(kind, &tar, 2, 100000, &written,
				     &made.blob, &err),
		    0);
		open_table(&written, &made, &index);
		for (size_t i = 0; i < FILES; i++) {
			char name[64];

			snprintf(name, sizeof(name), "dir/%zu", i);
			if (sizes[i] > 0)
				check_content(&made, index, name,
				    tar.data + data_at(i), sizes[i]);
		}
		assert_int_equal(entry_at(index, "small/699", NULL).size, 699);
		assert_int_equal(layer_index_count(index), 3 + FILES + SMALL);
	}
}

static void same_names(void **state)
{
	AUTO_BUF struct buf tar = BUF_INIT(TAR_MAX);

	(void)state;
	add_bytes(&tar, "a/b", 1);
	add_bytes(&tar, "./a//b", 2);
	end_tar(&tar);
	for (enum layer_kind kind = LAYER_ESTARGZ; kind <= LAYER_ZSTD_CHUNKED;
	     kind++) {
		AUTO_BUF struct buf blob = BUF_INIT(TAR_MAX);
		struct layer_written written;
		struct err err = ERR_INIT;

		assert_int_equal(make(kind, &tar, 2, 1000, &written, &blob,
				     &err),
		    -EOPNOTSUPP);
		assert_non_null(strstr(err.msg, "twice"));
	}
}

/* What was once made to an eStargz layer becomes the same again. */
static void made_again(void **state)
{
	AUTO_BUF struct buf tar = make_tar();
	AUTO_BUF struct buf blob = BUF_INIT(TAR_MAX);
	AUTO_BUF struct buf again = BUF_INIT(TAR_MAX);
	struct layer_written first, second;
	struct decoded decoded;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(make(LAYER_ESTARGZ, &tar, 2, 100000, &first, &blob,
			     &err),
	    0);
	decode(LAYER_ESTARGZ, &blob, TAR_MAX, &decoded);
	assert_int_equal(make(LAYER_ESTARGZ, &decoded.data, 2, 100000, &second,
			     &again, &err),
	    0);
	assert_true(digest_equal(&first.digest, &second.digest));
	assert_true(digest_equal(&first.diff_id, &second.diff_id));
	buf_release(&decoded.data);
}

static void formats(void **state)
{
	struct layer_format format;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(layer_format_parse(&format, "gzip", &err), 0);
	assert_int_equal(format.kind, LAYER_GZIP);
	assert_false(format.has_level);
	assert_int_equal(layer_format_parse(&format, "gzip:0", &err), 0);
	assert_true(format.has_level && format.level == 0);
	assert_int_equal(layer_format_parse(&format, "zstd:19", &err), 0);
	assert_true(format.kind == LAYER_ZSTD && format.level == 19);
	assert_int_equal(layer_format_parse(&format, "zstd:chunked", &err), 0);
	assert_true(format.kind == LAYER_ZSTD_CHUNKED && !format.has_level);
	assert_int_equal(layer_format_parse(&format, "zstd:chunked:22", &err),
	    0);
	assert_true(format.kind == LAYER_ZSTD_CHUNKED && format.level == 22);
	assert_int_equal(layer_format_parse(&format, "estargz:10", &err),
	    -EINVAL);
	assert_string_equal(err.msg,
	    "estargz:10: levels of estargz are from 0 to 9");
}

static int begin(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	pool = pool_new("test", 3, &err);
	return pool ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	pool_free(pool);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_trip),
	    cmocka_unit_test(same_bytes),
	    cmocka_unit_test(plain_borders),
	    cmocka_unit_test(plain_takes_anything),
	    cmocka_unit_test(nothing_at_all),
	    cmocka_unit_test(tables),
	    cmocka_unit_test(same_names),
	    cmocka_unit_test(made_again),
	    cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
