/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a compressed stream from its middle: the one who decodes it once
 * learns of places from which it can be decoded later without what is before
 * them.
 */
#ifndef STREAM_CHECKPOINT_H
#define STREAM_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stream/compression.h"

/* As far back as the data of gzip can refer to. */
enum { CHECKPOINT_WINDOW = 32 << 10 };

/* A place in a stream from which it can be decoded. */
struct checkpoint {
	uint64_t in;  /* the first byte of the stream that is needed */
	uint64_t out; /* the decoded byte that comes out first */

	/* How many low bits of the byte at `in` belong to what is before: 0 to
	 * 7, and always 0 in zstd. */
	uint8_t bits;

	/* The header of a member, or of a frame, is what comes next: there is
	 * no window, and there are no bits. */
	bool at_member;

	/* Inside a member of gzip: the decoded bytes before `out`, as many as
	 * there are since the member's start and CHECKPOINT_WINDOW at most. */
	const uint8_t *window;
	size_t window_len;
};

/*
 * Has the decoder report checkpoints: the first at its first byte, each further
 * one as soon as possible after `distance` (over 0) decoded bytes since the one
 * before. That is where a block of deflate, a member or a frame ends, so it can
 * take long: a zstd stream often is one frame, which gives one checkpoint.
 *
 * found() is called from decoder_write() when exactly `out` decoded bytes have
 * gone to the decoder's sink. The checkpoint is valid during the call. What
 * found() returns below 0 ends the decoding.
 *
 * Before any byte is written.
 */
void decoder_mark(struct decoder *decoder, uint64_t distance,
    int (*found)(void *arg, const struct checkpoint *point, struct err *err),
    void *arg);

/*
 * Decodes what is between two checkpoints: exactly `size` bytes into out, from
 * the in_len bytes of the stream at from->in on. They go to the next
 * checkpoint's `in`, with the byte there if that has bits, or to the stream's
 * end; more of it does no harm. COMPRESSION_NONE copies.
 *
 * -EINVAL where the bytes are damaged or too few, but do not rely on it: where
 * there is a checksum it covers more than this, so it is for the caller to know
 * by a digest that in and the window are right.
 */
int checkpoint_decode(enum compression compression,
    const struct checkpoint *from, const void *in, size_t in_len, void *out,
    size_t size, struct err *err);

#endif
