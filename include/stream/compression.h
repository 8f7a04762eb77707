/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed streams, told by their first bytes and never by a name or a media
 * type: gzip (RFC 1952, one member or many), zstd (RFC 8878), bzip2 and xz.
 */
#ifndef STREAM_COMPRESSION_H
#define STREAM_COMPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "stream/sink.h"
#include "stream/windows.h"

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD,
	/* These two are decoded, slowly, and not written. */
	COMPRESSION_BZIP2,
	COMPRESSION_XZ,
};

enum { COMPRESSION_MAGIC_BYTES = 6 };

enum {
	COMPRESSION_LEVEL_DEFAULT = -1,
	COMPRESSION_GZIP_LEVEL_MAX = 9, /* from 0 on, as of gzip(1) */
	COMPRESSION_ZSTD_LEVEL_MAX = 22 /* from 1 on, as of zstd(1) */
};

/* What a stream with these first bytes is. */
enum compression compression_sniff(const void *head, size_t len);

/* For messages: "gzip", or "uncompressed". */
const char *compression_name(enum compression compression);

struct decoder;

/*
 * A decoder for one stream, which is compressed. out is borrowed. limit:
 * decoded bytes in all, past which it fails with -EFBIG.
 */
int decoder_new(enum compression compression, struct sink *out, uint64_t limit,
    struct decoder **decoder, struct err *err);

/*
 * Has the decoder wait for its turn before it has a window of more than 8 MiB,
 * and give it back when it is freed. Else it has its windows at once, beside
 * those of others.
 *
 * ready(arg), unless NULL, is called before the wait. Once it returns 0, what
 * is to be written can be had without a wait for others (stream/windows.h);
 * what it returns below 0 ends the decoding. So does -EINTR, where the wait is
 * interrupted.
 *
 * Before any byte is written.
 */
void decoder_share(struct decoder *decoder, struct windows *windows,
    int (*ready)(void *arg, struct err *err), void *arg);

/*
 * Decodes the next bytes. What follows the last member or frame is another one
 * or zero padding. -EINVAL with a sentence that says where the stream is
 * broken; errors of out pass through.
 */
int decoder_write(struct decoder *decoder, const void *data, size_t len,
    struct err *err);

/* Whether the stream could end here: every member that began has ended, its
 * checksum right. */
bool decoder_at_end(const struct decoder *decoder);
void decoder_free(struct decoder *decoder);

DEFINE_CLEANUP(struct decoder *, decoder_free);

#endif
