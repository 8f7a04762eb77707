/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers with tables of contents, in memory: a test adds data and entries, and
 * gets the blob as the tools of eStargz and zstd:chunked would write it.
 */
#ifndef TESTS_TOC_FIXTURE_H
#define TESTS_TOC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <zstd.h>

#include "base/buf.h"
#include "index_read.h"
#include "stream/compression.h"
#include "tar/header.h"
#include "toc/toc.h"

#define UNUSED __attribute__((unused))

enum { MADE_MAX = 256 << 20, HEX_SIZE = DIGEST_TEXT_SIZE };

struct made {
	enum toc_kind kind;
	struct buf blob, json;
	struct toc toc;
	uint64_t data_len;     /* of the blob: what is before the table */
	struct err read_error; /* what reading the blob ends in, if set */
	unsigned reads;
	uint64_t read_bytes;
	int window_log; /* of zstd's frames; 0: the library's choice */
};

UNUSED static void made_release(struct made *made)
{
	buf_release(&made->blob);
	buf_release(&made->json);
}

#define AUTO_MADE CLEANUP(made_release)

UNUSED static struct made made_new(enum toc_kind kind)
{
	return (struct made){
	    .kind = kind,
	    .blob = BUF_INIT(MADE_MAX),
	    .json = BUF_INIT(MADE_MAX),
	};
}

static void put(struct buf *buf, const void *data, size_t len)
{
	struct err err = ERR_INIT;

	if (buf_add(buf, data, len, &err) < 0)
		fail_msg("%s", err.msg);
}

/* A gzip member, or a zstd frame. Where it begins. */
static uint64_t put_member(struct made *made, const void *data, size_t len)
{
	uint64_t at = made->blob.len;
	size_t room = len + len / 8 + 1024;
	AUTO_FREE void *out = malloc(room);
	size_t size;

	assert_non_null(out);
	if (made->kind == TOC_ESTARGZ) {
		struct libdeflate_compressor *compressor =
		    libdeflate_alloc_compressor(1);

		size =
		    libdeflate_gzip_compress(compressor, data, len, out, room);
		libdeflate_free_compressor(compressor);
		assert_true(size > 0);
	} else {
		ZSTD_CCtx *context = ZSTD_createCCtx();

		ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
		ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog,
		    made->window_log);
		size = ZSTD_compress2(context, out, room, data, len);
		ZSTD_freeCCtx(context);
		assert_false(ZSTD_isError(size));
	}
	put(&made->blob, out, size);
	return at;
}

/* "sha256:…" */
UNUSED static const char *sha256(const void *data, size_t len,
    char out[HEX_SIZE])
{
	struct digest digest;
	struct err err = ERR_INIT;

	assert_int_equal(digest_of(DIGEST_SHA256, data, len, &digest, &err), 0);
	return digest_format(&digest, out);
}

/* Adds to the list of entries. */
__attribute__((format(printf, 2, 3))) UNUSED static void add_json(struct made
								      *made,
    const char *fmt, ...)
{
	char text[16384];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	assert_in_range(len, 1, sizeof(text) - 1);
	if (made->json.len > 0)
		put(&made->json, ",\n", 2);
	put(&made->json, text, (size_t)len);
}

/* eStargz: the JSON in a tar, compressed, and the footer. */
static void end_estargz(struct made *made, const struct buf *json)
{
	AUTO_BUF struct buf tar = BUF_INIT(MADE_MAX);
	struct err err = ERR_INIT;
	char footer[51 + 1];
	static const char zeros[3 * TAR_BLOCK];

	assert_int_equal(tar_header_print(&tar, "stargz.index.json", json->len,
			     0, &err),
	    0);
	put(&tar, json->data, json->len);
	put(&tar, zeros, tar_padding(json->len) + 2 * TAR_BLOCK);
	made->data_len = put_member(made, tar.data, tar.len);
	memcpy(footer, "\x1f\x8b\x08\x04\0\0\0\0\0\xff\x1a\0SG\x16\0", 16);
	snprintf(footer + 16, 36, "%016" PRIx64 "STARGZ", made->data_len);
	memcpy(footer + 38, "\1\0\0\xff\xff\0\0\0\0\0\0\0\0", 13);
	put(&made->blob, footer, 51);
	assert_int_equal(digest_of(DIGEST_SHA256, json->data, json->len,
			     &made->toc.digest, &err),
	    0);
}

/* zstd:chunked: the JSON in a frame that is in one to be skipped. */
static void end_chunked(struct made *made, const struct buf *json)
{
	struct err err = ERR_INIT;

	made->data_len = made->blob.len;
	put(&made->blob, "\x50\x2a\x4d\x18\0\0\0\0", 8);
	made->toc.offset = put_member(made, json->data, json->len);
	made->toc.len = made->blob.len - made->toc.offset;
	made->toc.decoded_len = json->len;
	put(&made->blob, "\x50\x2a\x4d\x18\0\0\0\0", 8);
	assert_int_equal(digest_of(DIGEST_SHA256,
			     made->blob.data + made->toc.offset, made->toc.len,
			     &made->toc.digest, &err),
	    0);
}

/* Ends the layer with that for its JSON. */
UNUSED static void made_end_with(struct made *made, const struct buf *json)
{
	made->toc.kind = made->kind;
	if (made->kind == TOC_ESTARGZ)
		end_estargz(made, json);
	else
		end_chunked(made, json);
}

/* Ends the layer with the entries that were added. */
UNUSED static void made_end(struct made *made)
{
	AUTO_BUF struct buf json = BUF_INIT(MADE_MAX);

	put(&json, "{\"version\":1,\"entries\":[", 24);
	put(&json, buf_str(&made->json), made->json.len);
	put(&json, "]}", 2);
	made_end_with(made, &json);
}

static int read_made(void *arg, void *data, size_t len, uint64_t off,
    struct err *err)
{
	struct made *made = arg;

	made->reads++;
	made->read_bytes += len;
	if (made->read_error.code) {
		*err = made->read_error;
		return -err->code;
	}
	assert_true(
	    len > 0 && off <= made->blob.len && len <= made->blob.len - off);
	memcpy(data, made->blob.data + off, len);
	return 0;
}

/* What toc_read() says of it. */
UNUSED static int made_read(struct made *made, struct builder *builder,
    struct layer_facts *facts, struct err *err)
{
	const struct toc_blob blob = {read_made, made, made->blob.len};

	return toc_read(&made->toc, &blob, builder, facts, err);
}

/* The index of the layer, which has a good table. */
UNUSED static struct layer_index *made_index(struct made *made)
{
	CLEANUP(builder_free_p) struct builder *builder = NULL;
	struct layer_index *index = NULL;
	/* As make.c does: the table does not know which blob it is in. */
	struct layer_facts facts = {.blob = {.algorithm = DIGEST_SHA256},
	    .blob_size = made->blob.len};
	struct err err = ERR_INIT;
	int fd = memfd_create("index", MFD_CLOEXEC);

	assert_true(fd >= 0);
	if (builder_new("/tmp", &builder, &err) < 0 ||
	    made_read(made, builder, &facts, &err) < 0 ||
	    builder_write(builder, &facts, fd, &err) < 0 ||
	    layer_index_open(fd, &index, &err) < 0)
		fail_msg("%s", err.msg);
	return index;
}

/* The entry of that path. */
UNUSED static struct layer_entry entry_at(const struct layer_index *index,
    const char *path, uint32_t *number)
{
	uint32_t at = path_in(index, path);

	if (at == UINT32_MAX)
		fail_msg("no %s", path);
	if (number)
		*number = at;
	return entry_in(index, at);
}

struct collector {
	struct sink sink;
	struct buf *out;
};

static int collect(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	return buf_add(((struct collector *)sink)->out, data, len, err);
}

/* Appends what a span is, decoded from its range of the blob and compared with
 * its digest. */
static void append_span(const struct made *made, const struct layer_span *span,
    struct buf *out)
{
	AUTO_BUF struct buf all = BUF_INIT(MADE_MAX);
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	struct collector collector = {{collect}, &all};
	struct digest digest;
	struct err err = ERR_INIT;

	if (span->flags & SPAN_ZEROS) {
		assert_int_equal(buf_reserve(out, span->out_len, &err), 0);
		memset(out->data + out->len, 0, span->out_len);
		out->len += span->out_len;
		return;
	}
	assert_true(span->flags & SPAN_AT_MEMBER);
	assert_int_equal(decoder_new(made->kind == TOC_ESTARGZ
					 ? COMPRESSION_GZIP
					 : COMPRESSION_ZSTD,
			     &collector.sink, MADE_MAX, &decoder, &err),
	    0);
	if (decoder_write(decoder, made->blob.data + span->in, span->in_len,
		&err) < 0)
		fail_msg("%s", err.msg);
	assert_true(all.len >= span->skip + span->out_len);
	assert_int_equal(digest_of(DIGEST_SHA256, all.data + span->skip,
			     span->out_len, &digest, &err),
	    0);
	assert_memory_equal(digest.bytes, span->sha256, 32);
	put(out, all.data + span->skip, span->out_len);
}

/* The file's content, by its spans. */
UNUSED static void check_content(const struct made *made,
    const struct layer_index *index, const char *path, const void *want,
    size_t len)
{
	AUTO_BUF struct buf content = BUF_INIT(MADE_MAX);
	const struct layer_entry entry = entry_at(index, path, NULL);
	uint64_t end = entry.data + entry.size;
	uint32_t at;

	assert_int_equal(entry.size, len);
	at = span_at(index, entry.data);
	assert_int_equal(span_in(index, at).out, entry.data);
	for (; at < layer_index_spans(index) && span_in(index, at).out < end;
	     at++) {
		const struct layer_span span = span_in(index, at);

		append_span(made, &span, &content);
	}
	assert_int_equal(content.len, len);
	assert_memory_equal(content.data, want, len);
}

#endif
