/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a complete archive, read. */
#ifndef ARCHIVE_READ_H
#define ARCHIVE_READ_H

#include <sys/types.h>

#include "archive/reader.h"
#include "base/arena.h"
#include "base/err.h"
#include "tar/format.h"

/* As archive_reader_find(), but 0 or -EINVAL with a sentence. */
int read_find(const struct archive_reader *reader, const char *name,
    struct archive_entry *out, struct err *err);

/* All bytes of a file, in the arena; -EINVAL where they are more than limit. */
int read_file(const struct archive_reader *reader,
    const struct archive_entry *entry, size_t limit, struct arena *arena,
    const char **out, struct err *err);

/* The first bytes, that tell what it is: how many, or -errno. */
ssize_t read_head(const struct archive_reader *reader,
    const struct archive_entry *entry, char out[TAR_BLOCK], struct err *err);

#endif
