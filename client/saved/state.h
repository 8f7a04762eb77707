/* SPDX-License-Identifier: Apache-2.0 */
/* What an archive has, which does not change once it is open. */
#ifndef CLIENT_SAVED_STATE_H
#define CLIENT_SAVED_STATE_H

#include "archive/contents.h"
#include "archive/reader.h"
#include "base/arena.h"
#include "base/container.h"
#include "base/map.h"
#include "source/source.h"

/* A manifest, a config or a layer: bytes in memory, or of the archive. */
struct saved_blob {
	const char *data; /* NULL: size bytes at offset */
	uint64_t offset, size;
	const char *media_type; /* of a manifest, else NULL */
	struct digest digest;
};

struct saved_tag {
	struct saved_tag *next; /* of the repository */
	const char *name;
	const struct saved_blob *manifest;
};

struct saved_repository {
	struct saved_repository *next;
	const char *name;
	struct saved_tag *tags;
};

struct saved_source {
	struct source source; /* first */
	int fd;
	char *path, *name;
	struct arena arena;
	struct archive_reader *reader;
	/* What its images were read from, and is borrowed. */
	struct archive_contents **contents;
	size_t contents_count;
	struct saved_repository *repositories;
	struct map blobs; /* digest → struct saved_blob */
};

/* That which a source is, one of saved_open(). */
static inline struct saved_source *saved_of(struct source *source)
{
	return container_of(source, struct saved_source, source);
}

/* Reads what the file has, once. */
int saved_read(struct saved_source *saved, struct err *err);

#endif
