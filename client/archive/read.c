/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a complete archive, read. */
#include "read.h"

#include <errno.h>
#include <inttypes.h>

#include "base/file.h"

int read_find(const struct archive_reader *reader, const char *name,
    struct archive_entry *out, struct err *err)
{
	if (!archive_reader_find(reader, name, out))
		return err_set(err, EINVAL, "the archive lacks %s", name);
	return 0;
}

int read_file(const struct archive_reader *reader,
    const struct archive_entry *entry, size_t limit, struct arena *arena,
    const char **out, struct err *err)
{
	size_t len = (size_t)entry->size;
	char *data;
	ssize_t n;

	if (entry->size > limit)
		return err_set(err, EINVAL,
		    "%s has %" PRIu64 " bytes, more than the limit of %zu",
		    entry->name, entry->size, limit);
	data = arena_alloc(arena, len);
	if (!data)
		return err_nomem(err);
	n = file_pread(archive_reader_fd(reader), data, len, entry->offset,
	    err);
	if (n < 0)
		return (int)n;
	if ((size_t)n < len)
		return err_set(err, EIO, "%s is truncated", entry->name);
	*out = data;
	return 0;
}

ssize_t read_head(const struct archive_reader *reader,
    const struct archive_entry *entry, char out[TAR_BLOCK], struct err *err)
{
	size_t len = entry->size < TAR_BLOCK ? (size_t)entry->size : TAR_BLOCK;

	return file_pread(archive_reader_fd(reader), out, len, entry->offset,
	    err);
}
