/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a tar once more, with entries that every engine unpacks. */
#include "tar/plain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/task.h"
#include "tar/header.h"
#include "tar/walker.h"

enum {
	PIECE = 256 << 10,
	/* Of one entry: its block, and pax's with 1 MiB at most. */
	HEADER_MAX = TAR_EXTENDED_MAX + 4 * TAR_BLOCK,
};

/* A sparse file can say that it is as large as it likes. */
#define WRITTEN_MAX (UINT64_C(1) << 38)

struct plain {
	int fd;
	uint64_t offset; /* of the tar in the file */
	struct sink *out;
	uint64_t written;
	char *piece;
};

static int cut_off(struct err *err)
{
	return err_set(err, EINVAL, "the tar is cut off");
}

static int put(struct plain *plain, const void *data, size_t len,
    struct err *err)
{
	plain->written += len;
	if (task_interrupted())
		return err_set(err, EINTR, "interrupted");
	return len > 0 ? sink_write(plain->out, data, len, err) : 0;
}

static int put_zeros(struct plain *plain, uint64_t len, struct err *err)
{
	static const char zeros[64 << 10];
	int r = 0;

	while (r == 0 && len > 0) {
		size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		r = put(plain, zeros, n, err);
		len -= n;
	}
	return r;
}

/* Bytes of the tar as they are. */
static int copy(struct plain *plain, uint64_t from, uint64_t len,
    struct err *err)
{
	while (len > 0) {
		size_t most = len < PIECE ? (size_t)len : PIECE;
		ssize_t n = file_pread(plain->fd, plain->piece, most,
		    plain->offset + from, err);
		int r;

		if (n < 0)
			return (int)n;
		if ((size_t)n < most)
			return cut_off(err);
		r = put(plain, plain->piece, most, err);
		if (r < 0)
			return r;
		from += most;
		len -= most;
	}
	return 0;
}

/* A file's data without holes. */
static int put_data(struct plain *plain, const struct tar_entry *entry,
    struct err *err)
{
	uint64_t from = entry->offset, done = 0;
	int r = 0;

	if (!entry->is_sparse)
		return copy(plain, from, entry->size, err);
	for (size_t i = 0; r == 0 && i < entry->extent_count; i++) {
		const struct tar_extent *extent = &entry->extents[i];

		r = put_zeros(plain, extent->offset - done, err);
		if (r == 0)
			r = copy(plain, from, extent->size, err);
		from += extent->size;
		done = extent->offset + extent->size;
	}
	return r < 0 ? r : put_zeros(plain, entry->file_size - done, err);
}

/* Before the first of its zeros is written. */
static int check_size(const struct plain *plain, const struct tar_entry *entry,
    struct err *err)
{
	if (plain->written <= WRITTEN_MAX &&
	    entry->file_size <= WRITTEN_MAX - plain->written)
		return 0;
	return err_set(err, EFBIG,
	    "%s is too large without the holes that sparse files have",
	    entry->name);
}

/* The name of a directory ends in a slash. */
static int print_header(struct plain *plain, const struct tar_entry *entry,
    struct err *err)
{
	AUTO_BUF struct buf header = BUF_INIT(HEADER_MAX);
	AUTO_BUF struct buf name = BUF_INIT(TAR_NAME_MAX + 1);
	struct tar_entry printed = *entry;
	size_t len = strlen(entry->name);
	int r = buf_addstr(&name, entry->name, err);

	if (r == 0 && entry->type == TAR_DIRECTORY &&
	    (len == 0 || entry->name[len - 1] != '/'))
		r = buf_addstr(&name, "/", err);
	printed.name = buf_str(&name);
	printed.size = entry->file_size;
	if (r == 0)
		r = tar_entry_print(&header, &printed, err);
	return r < 0 ? r : put(plain, header.data, header.len, err);
}

static int write_entry(void *arg, const struct tar_entry *entry,
    struct err *err)
{
	struct plain *plain = arg;
	uint64_t end = entry->offset + entry->size;
	uint64_t size = entry->size;
	int r;

	if (entry->is_plain) {
		r = copy(plain, entry->begin, end - entry->begin, err);
	} else {
		size = entry->file_size;
		r = check_size(plain, entry, err);
		if (r == 0)
			r = print_header(plain, entry, err);
		if (r == 0)
			r = put_data(plain, entry, err);
	}
	return r < 0 ? r : put_zeros(plain, tar_padding(size), err);
}

static int walk(struct plain *plain, struct tar_walker *walker, uint64_t size,
    struct err *err)
{
	AUTO_FREE char *piece = malloc(PIECE);
	int r = 0;

	if (!piece)
		return err_nomem(err);
	for (uint64_t done = 0; r == 0 && done < size;) {
		uint64_t left = size - done;
		size_t len = left < PIECE ? (size_t)left : PIECE;
		ssize_t n = file_pread(plain->fd, piece, len,
		    plain->offset + done, err);

		if (n < 0)
			return (int)n;
		if ((size_t)n < len)
			return cut_off(err);
		r = tar_walker_feed(walker, piece, len, NULL, err);
		done += len;
	}
	if (r >= 0 && tar_walker_lacks(walker) != TAR_LACKS_NOTHING)
		r = cut_off(err);
	return r < 0 ? r : 0;
}

int tar_write_plain(int fd, uint64_t offset, uint64_t size, struct sink *out,
    struct err *err)
{
	AUTO_FREE char *piece = malloc(PIECE);
	struct plain plain = {fd, offset, out, 0, piece};
	const struct tar_handler handler = {.entry = write_entry,
	    .arg = &plain};
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	int r = piece ? tar_walker_new(&handler, &walker, err) : err_nomem(err);

	if (r == 0)
		r = walk(&plain, walker, size, err);
	return r < 0 ? r : put_zeros(&plain, 2 * (uint64_t)TAR_BLOCK, err);
}
