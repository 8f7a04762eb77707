/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed streams, told by their first bytes and never by a name or a media
 * type: gzip (RFC 1952, one member or many) and zstd (RFC 8878).
 */
#ifndef STREAM_COMPRESSION_H
#define STREAM_COMPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/pool.h"
#include "oci/digest.h"
#include "stream/sink.h"

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD,
	COMPRESSION_BZIP2, /* recognised, not decoded */
	COMPRESSION_XZ,    /* recognised, not decoded */
};

enum { COMPRESSION_MAGIC_BYTES = 6 };

/* What a stream with these first bytes is. */
enum compression compression_sniff(const void *head, size_t len);

const char *compression_name(enum compression compression);

struct decoder;

/*
 * A decoder for one stream. out is borrowed. limit: decoded bytes in all, past
 * which it fails with -EFBIG. -EOPNOTSUPP for what is not decoded here.
 */
int decoder_new(enum compression compression, struct sink *out, uint64_t limit,
    struct decoder **decoder, struct err *err);

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

/*
 * Compresses to gzip in several threads: independent members of half a
 * mebibyte, which every gzip reader takes and which can be read from any of
 * their borders. The same bytes give the same file, whatever the threads.
 */
struct gzip_writer;

/*
 * pool runs the compression; fd (borrowed) gets the file from its offset 0 on.
 * Memory: about 1.5 MiB for each of `parallel` jobs, and as much once more. The
 * caller is no thread of the pool: it waits for the pool's jobs.
 */
int gzip_writer_new(struct pool *pool, unsigned parallel, int fd,
    struct gzip_writer **out, struct err *err);

/* Takes all of data; waits while too much is under way (not interruptible: it
 * only ever waits for the processor). */
int gzip_writer_write(struct gzip_writer *writer, const void *data, size_t len,
    struct err *err);

/* Writes what is left: the file's sha256 and size. */
int gzip_writer_finish(struct gzip_writer *writer, struct digest *digest,
    uint64_t *size, struct err *err);

/* Also in the middle: waits for the jobs under way. */
void gzip_writer_free(struct gzip_writer *writer);

DEFINE_CLEANUP(struct gzip_writer *, gzip_writer_free);

#endif
