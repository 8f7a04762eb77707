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

void made_release(struct made *made);

#define AUTO_MADE CLEANUP(made_release)

struct made toc_made_new(enum toc_kind kind);

void put(struct buf *buf, const void *data, size_t len);

/* A gzip member, or a zstd frame. Where it begins. */
uint64_t put_member(struct made *made, const void *data, size_t len);

/* "sha256:…" */
const char *sha256(const void *data, size_t len, char out[HEX_SIZE]);

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

/* Ends the layer with that for its JSON. */
void made_end_with(struct made *made, const struct buf *json);

/* Ends the layer with the entries that were added. */
void made_end(struct made *made);

/* What toc_read() says of it. */
int made_read(struct made *made, struct builder *builder,
    struct layer_facts *facts, struct err *err);

/* The index of the layer, which has a good table. */
struct layer_index *made_index(struct made *made);

/* The entry of that path. */
struct layer_entry entry_at(const struct layer_index *index, const char *path,
    uint32_t *number);

struct collector {
	struct sink sink;
	struct buf *out;
};

/* The file's content, by its spans. */
void check_content(const struct made *made, const struct layer_index *index,
    const char *path, const void *want, size_t len);

#endif
