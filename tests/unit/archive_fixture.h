/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of archives: tars that are put together in memory, and a reader
 * that is fed with them.
 */
#ifndef TESTS_ARCHIVE_FIXTURE_H
#define TESTS_ARCHIVE_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <zstd.h>

#include "archive/reader.h"
#include "base/buf.h"
#include "base/file.h"
#include "oci/digest.h"
#include "stream/encoder.h"
#include "tar/header.h"
#include "tar/walker.h"

#define UNUSED __attribute__((unused))

enum { ARCHIVE_MAX = 8 << 20 };

#define ARCHIVE_INIT BUF_INIT(ARCHIVE_MAX)

void put_zeros(struct buf *tar, size_t len);

void put_file(struct buf *tar, const char *name, const void *data, size_t len);

void put_text(struct buf *tar, const char *name, const char *text);

/* Makes the last header one of another type; its checksum is put right. */
void change_type(struct buf *tar, enum tar_type type, const char *target);

void put_link(struct buf *tar, enum tar_type type, const char *name,
    const char *target);

void put_end(struct buf *tar);

/* A layer: a small tar with one file, which makes it differ from others. */
void make_layer(struct buf *out, const char *content);

void make_gzip(struct buf *out, const struct buf *in);

void make_zstd(struct buf *out, const struct buf *in);

/* An archive that is being written and read. */
struct reading {
	int fd;
	struct archive_reader *reader;
	uint64_t written;
	struct buf layers; /* names that were reported, a line each */
	struct err err;
};

void reading_begin(struct reading *reading);

void reading_end(struct reading *reading);

/* What archive_reader_feed() says to the next bytes. */
int reading_feed(struct reading *reading, const void *data, size_t len);

/* The same to a whole archive in pieces; stops at an error. */
int reading_feed_all(struct reading *reading, const struct buf *bytes,
    size_t piece);

/* Begins to read and reads all of a complete archive. */
void reading_all(struct reading *reading, const struct buf *bytes);

#define AUTO_READING CLEANUP(reading_end)

#endif
