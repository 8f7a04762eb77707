/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a layer's blob of its tar, as the tar comes: compressed in several
 * threads, and with a table of contents where the format has one. The same tar
 * in the same format gives the same blob, whatever the threads.
 */
#ifndef LAYER_WRITER_H
#define LAYER_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/pool.h"
#include "layer/annotations.h"
#include "oci/digest.h"
#include "stream/compression.h"

struct layer_format {
	enum layer_kind kind;
	bool has_level; /* else the kind's default */
	int level;      /* gzip and estargz: 0 to 9; the others: 1 to 22 */
};

/* "gzip", "zstd", "estargz" or "zstd:chunked", with ":LEVEL" after it or
 * without. -EINVAL with a sentence. */
int layer_format_parse(struct layer_format *out, const char *text,
    struct err *err);

/* What a layer of that format has become. */
struct layer_written {
	struct digest digest;
	uint64_t size;
	enum layer_kind kind; /* not LAYER_ANY */
	/* Of the tar in it where that is another one than what was given:
	 * eStargz adds to it. Else unset. */
	struct digest diff_id;
	struct layer_annotations annotations;
};

struct layer_writer_options {
	struct layer_format format; /* LAYER_ANY: gzip */
	struct pool *pool;          /* as struct encoder_options has them */
	unsigned parallel;
	int fd;
};

struct layer_writer;

/* Memory: what the encoder takes, with pieces of at most two mebibytes; for a
 * table of contents about 10 MiB, and 100 bytes for each entry. */
int layer_writer_new(const struct layer_writer_options *options,
    struct layer_writer **out, struct err *err);

/*
 * Takes the next bytes of the tar. A plain format takes anything: what is no
 * tar is cut somewhere. -EOPNOTSUPP with a sentence where a table of contents
 * cannot say what the tar does (sparse files, a name twice or not in UTF-8,
 * entries of unknown types, a broken tar): the caller begins again in another
 * format.
 */
int layer_writer_write(struct layer_writer *writer, const void *data,
    size_t len, struct err *err);

/* There is no more. Errors as of writing. */
int layer_writer_finish(struct layer_writer *writer, struct layer_written *out,
    struct err *err);

/* Also in the middle. */
void layer_writer_free(struct layer_writer *writer);

DEFINE_CLEANUP(struct layer_writer *, layer_writer_free);

#endif
