/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a table of contents while the layer is written. An entry is complete
 * once all chunks of its file have their place in the blob, and entries follow
 * one another as in the tar: those that wait for chunks are in a queue.
 */
#ifndef LAYER_TOC_WRITER_H
#define LAYER_TOC_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "stream/encoder.h"
#include "tar/walker.h"
#include "toc_text.h"

struct toc_writer;

/* chunk_size: of all chunks of a file but the last. */
int toc_writer_new(bool is_chunked, uint64_t chunk_size,
    struct toc_writer **out, struct err *err);
void toc_writer_free(struct toc_writer *writer);

DEFINE_CLEANUP(struct toc_writer *, toc_writer_free);

/* The next entry of the tar; -EOPNOTSUPP for what cannot be said, or was said
 * before. */
int toc_writer_add(struct toc_writer *writer, const struct tar_entry *entry,
    struct err *err);

/* The digest of all of the last entry's file, if it has more than a chunk. */
void toc_writer_set_digest(struct toc_writer *writer,
    const struct digest *digest);

/* The next chunk, of whichever file it is. */
int toc_writer_add_chunk(struct toc_writer *writer,
    const struct encoder_piece *chunk, struct err *err);

/*
 * Ends the table, once all chunks are there. tar_split: unless NULL, the digest
 * of what it says of that. The JSON in *out is compressed, of *size bytes, and
 * lives as long as the writer.
 */
int toc_writer_end(struct toc_writer *writer, const struct digest *tar_split,
    const struct buf **out, uint64_t *size, struct err *err);

#endif
