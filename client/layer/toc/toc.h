/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of contents that a layer may bring along: what files it has, and
 * where in the blob the chunks of each are. eStargz and zstd:chunked agree on
 * its JSON. eStargz has it at the end of a gzip layer, in a tar of its own and
 * behind it a footer that says where; zstd:chunked in a frame that decoders
 * skip, and an annotation says where.
 *
 * The manifest vouches for the table, the table for each chunk: all can be read
 * and verified without the rest of the layer.
 */
#ifndef LAYER_TOC_H
#define LAYER_TOC_H

#include <stddef.h>
#include <stdint.h>

#include "build/builder.h"
#include "oci/manifest.h"

enum toc_kind { TOC_NONE, TOC_ESTARGZ, TOC_CHUNKED };

/* Where a layer has its table of contents, and what vouches for it. */
struct toc {
	enum toc_kind kind;
	/* eStargz: of the JSON; zstd:chunked: of the frame that it is in. */
	struct digest digest;
	/* zstd:chunked: the frame's place in the blob, and the JSON's size. */
	uint64_t offset, len, decoded_len;
};

/*
 * What the annotations of a layer's descriptor say. TOC_NONE where they say
 * nothing, or what makes no sense, or where no digest vouches for a table:
 * anybody could have put it there.
 */
void toc_find(const struct descriptor *descriptor, struct toc *out);

/* The layer's blob. read() gives exactly len bytes, which are in the blob. */
struct toc_blob {
	int (*read)(void *arg, void *data, size_t len, uint64_t off,
	    struct err *err);
	void *arg;
	uint64_t size;
};

/*
 * Reads the table (toc->kind is not TOC_NONE), adds its entries and a span for
 * each chunk to the builder, and sets vouching, compression and stream_size of
 * facts. The stream is all chunks behind one another, as the table has them.
 *
 * -EBADMSG where the digest is another one. -EINVAL where the table cannot be
 * used, with a sentence; the layer may still be read as one without. What
 * reading the blob returned otherwise. On failure the builder has an unknown
 * part of the entries, and none of them is to be trusted.
 */
int toc_read(const struct toc *toc, const struct toc_blob *blob,
    struct builder *builder, struct layer_facts *facts, struct err *err);

#endif
