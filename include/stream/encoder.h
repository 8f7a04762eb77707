/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compresses in several threads. The input is cut into pieces, each a gzip
 * member or a zstd frame of its own: every reader takes them one after the
 * other, and can begin at any of them. The same bytes, cut in the same places,
 * give the same file, whatever the threads.
 */
#ifndef STREAM_ENCODER_H
#define STREAM_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/pool.h"
#include "oci/digest.h"
#include "stream/compression.h"
#include "stream/sink.h"

/* Where in the file a piece is, and what of it was to be hashed. */
struct encoder_piece {
	uint64_t offset, size;
	struct digest digest; /* sha256 */
};

struct encoder_options {
	enum compression compression; /* gzip or zstd */
	int level;
	size_t piece_size; /* bytes of input, at most */
	struct pool *pool; /* runs the compression */
	unsigned parallel; /* jobs at a time */
	int fd;            /* borrowed: gets the file from offset 0 on */
	/* Called in order, by the thread that writes, for each piece of which
	 * something was to be hashed. NULL if nothing ever is. */
	int (*done)(void *arg, const struct encoder_piece *piece,
	    struct err *err);
	void *arg;
};

struct encoder;

/*
 * Memory: twice piece_size for each job and once more, and what the compressor
 * takes (zstd: more with each level). The caller is no thread of the pool: it
 * waits for the pool's jobs.
 */
int encoder_new(const struct encoder_options *options, struct encoder **out,
    struct err *err);

/* Takes all of data; waits while too much is under way (not interruptible: it
 * only ever waits for the processor). Errors of done() pass through. */
int encoder_write(struct encoder *encoder, const void *data, size_t len,
    struct err *err);

/* How many bytes more are taken without a cut. */
size_t encoder_room(struct encoder *encoder);

/*
 * What comes next begins a piece, the first `whole` bytes of which stay
 * together in it (at most piece_size) and whose first `hashed` bytes are
 * hashed.
 */
int encoder_cut(struct encoder *encoder, size_t whole, size_t hashed,
    struct err *err);

/* Waits for all pieces. *offset: where the next byte of the file goes. */
int encoder_flush(struct encoder *encoder, uint64_t *offset, struct err *err);

/* Adds bytes to the file as they are, after all that was written. */
int encoder_append(struct encoder *encoder, const void *data, size_t len,
    struct err *err);

/* Writes what is left: the file's sha256 and size. A file without any input is
 * one piece without any. */
int encoder_finish(struct encoder *encoder, struct digest *digest,
    uint64_t *size, struct err *err);

/* Also in the middle: waits for the jobs under way. */
void encoder_free(struct encoder *encoder);

DEFINE_CLEANUP(struct encoder *, encoder_free);

/*
 * One gzip member for a stream of unknown length, as it comes and in this
 * thread: for little, that has to be one member. What it writes to `out`
 * (borrowed) depends on how the input is cut.
 */
struct gzip_stream;

/* -ENOMEM. write takes all of data (at most UINT32_MAX bytes); finish writes
 * the member's end, and nothing may follow. Errors of out pass through. It is
 * freed at any time. */
int gzip_stream_new(struct sink *out, struct gzip_stream **stream,
    struct err *err);
int gzip_stream_write(struct gzip_stream *stream, const void *data, size_t len,
    struct err *err);
int gzip_stream_finish(struct gzip_stream *stream, struct err *err);
void gzip_stream_free(struct gzip_stream *stream);

DEFINE_CLEANUP(struct gzip_stream *, gzip_stream_free);

#endif
