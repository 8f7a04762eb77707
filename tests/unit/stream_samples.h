/* SPDX-License-Identifier: Apache-2.0 */
/* Data of several kinds, and streams that several compressors make of it. */
#ifndef TESTS_STREAM_SAMPLES_H
#define TESTS_STREAM_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <isa-l.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/buf.h"

enum {
	PLAIN_SIZE = 400 << 10,
	STREAM_MAX = 8 << 20,
};

void append(struct buf *buf, const void *data, size_t len);

enum kind {
	TEXT, /* many matches, near and far */
	NOISE,
	ZEROS,
	KINDS
};

void sample_make(enum kind kind, struct buf *out);

void gzip(int level, const void *data, size_t len, struct buf *out);

/* One member in which blocks of all types follow one another. */
void gzip_mixed(const struct buf *plain, struct buf *out);

void zstd_frame(const void *data, size_t len, struct buf *out);

#endif
