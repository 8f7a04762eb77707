/* SPDX-License-Identifier: Apache-2.0 */
/* What one read may cost, whoever made the layer. */
#ifndef LAYER_LIMITS_H
#define LAYER_LIMITS_H

#include <stdint.h>

enum {
	/* Where we cut spans. Shorter ones make indexes large, which have a
	 * window for each; longer ones make reads slow, which decode all of
	 * one for its last byte. Of large blobs that is so many spans, as long
	 * as they are not longer than the second of these. */
	SPAN_DISTANCE = 1 << 20,
	SPAN_DISTANCE_MAX = 8 << 20,
	SPANS_MANY = 2048,
	/* A span is held in memory as a whole, with what is decoded in front
	 * of it. Chunks of eStargz have 4 MiB, those of zstd:chunked 64 KiB on
	 * average; a stream that we cannot enter so often is kept decoded. */
	SPAN_OUT_MAX = 16 << 20,
	SPAN_IN_MAX = 20 << 20, /* what cannot be compressed grows a little */
	/* zstd:chunked cuts where a sum over the bytes says so, which in data
	 * that repeats can take tens of megabytes. Chunks that are larger than
	 * a span may be are decoded into the store. */
	CHUNK_MAX = 1 << 30,

	/* Decoded spans that are kept in memory for the next read. */
	SPANS_KEPT = 12 << 20,
	/* What decoding spans side by side may take beside that. */
	SPANS_WORK_MAX = 12 << 20,

	/* The JSON of a table of contents, which takes 330 bytes an entry where
	 * it is indented. containers/storage has the same limit. */
	TOC_DECODED_MAX = 150 << 20,
};

/* Holes are not in a blob, but have a span for every SPAN_OUT_MAX bytes: 20 MB
 * of an index, if that much of a layer is holes. */
#define LAYER_STREAM_MAX (UINT64_C(1) << 42)

/* A stream that is kept decoded may be a bomb, which is to fill no disk. */
#define LAYER_KEPT_MAX (UINT64_C(64) << 30)

#endif
