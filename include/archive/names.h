/* SPDX-License-Identifier: Apache-2.0 */
/* What the images of an archive are called in it. */
#ifndef ARCHIVE_NAMES_H
#define ARCHIVE_NAMES_H

#include <stddef.h>

#include "archive/reader.h"
#include "base/cleanup.h"
#include "base/err.h"

struct archive_names {
	/* References with a tag, as written, each once: "app:1.0". */
	const char *const *list;
	size_t count;
	/* What is no reference but can be a tag, likewise: "1.0". */
	const char *const *tags;
	size_t tag_count;
	/* How many images there are, however many names each has. */
	size_t image_count;
	/* What the first image without such a name is called, "" where it has
	 * no name at all; NULL: each image has such a name. */
	const char *unnamed;
};

/*
 * Of a complete archive, whose reader outlives them. A root file system has no
 * images. -EINVAL with a sentence for an archive that is broken.
 */
int archive_names_read(struct archive_reader *reader,
    struct archive_names **out, struct err *err);
void archive_names_free(struct archive_names *names);

DEFINE_CLEANUP(struct archive_names *, archive_names_free);

#endif
