/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blob of a layer that has a table of contents: each file's data, and of a
 * large file each chunk, begins a gzip member or a zstd frame.
 *
 *	eStargz		member: data, padding, headers up to the next data
 *	zstd:chunked	frame: data; frame: padding and headers; …
 */
#ifndef LAYER_INDEXED_H
#define LAYER_INDEXED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "layer/writer.h"
#include "stream/encoder.h"
#include "tar/walker.h"
#include "tar_split.h"
#include "toc_writer.h"

/* Of large files. What is read of one is read in these; stargz's tools cut at 4
 * MiB, where each thread would take that much memory. */
enum { CHUNK_SIZE = 1 << 20 };

struct indexed {
	enum layer_kind kind;
	struct encoder *encoder;
	struct tar_walker *walker;
	struct toc_writer *toc;
	struct tar_split *split; /* zstd:chunked */
	struct hasher *tar;      /* eStargz: of the tar with what it adds */
	uint64_t tar_size;       /* likewise */

	uint64_t taken;      /* bytes of the tar */
	const uint8_t *next; /* what comes, while it is being taken */

	/* The last entry. */
	uint64_t body_end;   /* where its data ends in the tar */
	uint64_t size, left; /* of its data: all, and what is to come */
	uint64_t chunk_left; /* up to the next cut */
	bool is_dropped;
	struct hasher *file; /* NULL unless it has several chunks */
	struct buf name;     /* zstd:chunked, for tar-split */

	struct buf between; /* padding of the last entry, and headers of the
			     * next one as far as they came */
};

int indexed_new(const struct layer_writer_options *options,
    struct indexed **out, struct err *err);
void indexed_free(struct indexed *indexed);

DEFINE_CLEANUP(struct indexed *, indexed_free);

/* As layer_writer_write() and layer_writer_finish() (layer/writer.h). */
int indexed_write(struct indexed *indexed, const void *data, size_t len,
    struct err *err);
int indexed_finish(struct indexed *indexed, struct layer_written *out,
    struct err *err);

/* Begins an entry, all of whose headers, with the padding before them, are
 * `between`. dropped: it does not belong in the blob. */
int indexed_begin(struct indexed *indexed, const struct tar_entry *entry,
    bool dropped, struct err *err);

/* Bytes of the entry's data. */
int indexed_add(struct indexed *indexed, const void *data, size_t len,
    struct err *err);

/* Bytes that go into the blob, and so into the tar in it. */
int indexed_put(struct indexed *indexed, const void *data, size_t len,
    struct err *err);

/* Puts the first len bytes of `between`, or what of them is to stay. */
int indexed_put_between(struct indexed *indexed, size_t len, struct err *err);

/* What begins and ends the blob, each of its own kind; `between` has what ends
 * the tar. */
int estargz_begin(struct indexed *indexed, struct err *err);
int estargz_end(struct indexed *indexed, struct layer_written *out,
    struct err *err);
int chunked_end(struct indexed *indexed, struct layer_written *out,
    struct err *err);

/* Whether eStargz has the name for itself. */
bool estargz_owns(const char *name);

/* A table of contents cannot have `what`. Returns -EOPNOTSUPP. */
int indexed_refuse(const char *what, struct err *err);

#endif
