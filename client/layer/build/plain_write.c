/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the tree of a tar as another tar. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/task.h"
#include "index/format.h"
#include "plain_state.h"
#include "tar/header.h"

enum {
	PIECE = 256 << 10,
	/* Of one entry: its block, and pax's with 1 MiB at most. */
	HEADER_MAX = TAR_EXTENDED_MAX + 4 * TAR_BLOCK,
};

/* A sparse file can say that it is as large as it likes. */
#define WRITTEN_MAX (UINT64_C(1) << 38)

struct plain_writer {
	struct builder *builder;
	int fd;
	uint64_t offset; /* of the tar in the file */
	struct sink *out;
	uint64_t written;
	char *piece;
	struct buf path, header;
};

static void writer_release(struct plain_writer *writer)
{
	free(writer->piece);
	buf_release(&writer->path);
	buf_release(&writer->header);
}

static int put(struct plain_writer *writer, const void *data, size_t len,
    struct err *err)
{
	writer->written += len;
	if (task_interrupted())
		return err_set(err, EINTR, "interrupted");
	return len > 0 ? sink_write(writer->out, data, len, err) : 0;
}

static int put_zeros(struct plain_writer *writer, uint64_t len, struct err *err)
{
	static const char zeros[64 << 10];
	int r = 0;

	while (r == 0 && len > 0) {
		size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		r = put(writer, zeros, n, err);
		len -= n;
	}
	return r;
}

/* Bytes of the tar as they are. */
static int copy(struct plain_writer *writer, uint64_t from, uint64_t len,
    struct err *err)
{
	while (len > 0) {
		size_t most = len < PIECE ? (size_t)len : PIECE;
		ssize_t n = file_pread(writer->fd, writer->piece, most,
		    writer->offset + from, err);
		int r;

		if (n < 0)
			return (int)n;
		if ((size_t)n < most)
			return err_set(err, EINVAL, "the tar is truncated");
		r = put(writer, writer->piece, most, err);
		if (r < 0)
			return r;
		from += most;
		len -= most;
	}
	return 0;
}

/* A sparse file without holes. */
static int put_pieces(struct plain_writer *writer,
    const struct layer_entry *entry, struct err *err)
{
	uint64_t from = entry->data, done = 0;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < entry->extent_count; i++) {
		size_t at = sizeof(struct layer_extent) *
			    ((size_t)entry->first_extent + i);
		const struct layer_extent extent =
		    *(const struct layer_extent *)
			pile_at(&writer->builder->extents, at, sizeof(extent));

		r = put_zeros(writer, extent.offset - done, err);
		if (r == 0)
			r = copy(writer, from, extent.size, err);
		from += extent.size;
		done = extent.offset + extent.size;
	}
	return r < 0 ? r : put_zeros(writer, entry->size - done, err);
}

static int put_content(struct plain_writer *writer,
    const struct layer_entry *entry, struct err *err)
{
	int r = entry->flags & LAYER_SPARSE
		    ? put_pieces(writer, entry, err)
		    : copy(writer, entry->data, entry->size, err);

	return r < 0 ? r : put_zeros(writer, tar_padding(entry->size), err);
}

/* Before the first of its zeros is written. */
static int check_size(const struct plain_writer *writer,
    const struct layer_entry *entry, struct err *err)
{
	if (writer->written <= WRITTEN_MAX &&
	    entry->size <= WRITTEN_MAX - writer->written)
		return 0;
	return err_set(err, EFBIG,
	    "%s is too large without the holes that sparse files have",
	    buf_str(&writer->path));
}

/* The block of an entry's attributes, and where they are in it. */
static int read_xattrs(struct plain_writer *writer,
    const struct layer_entry *entry, struct buf *block, struct tar_xattr **out,
    size_t *count, struct err *err)
{
	uint32_t size = 0, len;
	size_t cursor = 0, most = 0;
	const char *name;
	const void *value;
	int r;

	if (entry->xattrs == HEAP_NOTHING)
		return 0;
	memcpy(&size, builder_text(writer->builder, entry->xattrs),
	    sizeof(size));
	r = buf_add(block,
	    builder_text(writer->builder, entry->xattrs + BLOCK_SIZE_BYTES),
	    size, err);
	if (r < 0)
		return r;
	while (layer_next_xattr(block, &cursor, &name, &value, &len))
		most++;
	*out = calloc(most + 1, sizeof(**out));
	if (!*out)
		return err_nomem(err);
	cursor = 0;
	while (layer_next_xattr(block, &cursor, &name, &value, &len))
		(*out)[(*count)++] = (struct tar_xattr){name, value, len};
	return 0;
}

static enum tar_type type_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFLNK:
		return TAR_SYMLINK;
	case S_IFCHR:
		return TAR_CHAR;
	case S_IFBLK:
		return TAR_BLOCK_DEVICE;
	case S_IFDIR:
		return TAR_DIRECTORY;
	case S_IFIFO:
		return TAR_FIFO;
	default:
		return TAR_FILE;
	}
}

/* link: where a link leads, or "". */
static int put_header(struct plain_writer *writer,
    const struct layer_entry *entry, enum tar_type type, const char *link,
    struct err *err)
{
	AUTO_BUF struct buf block = BUF_INIT(BLOCK_MAX);
	AUTO_FREE struct tar_xattr *xattrs = NULL;
	struct tar_entry printed = {.type = type,
	    .name = buf_str(&writer->path),
	    .link = link,
	    .size = type == TAR_FILE ? entry->size : 0,
	    .mode = entry->mode & 07777,
	    .uid = entry->uid,
	    .gid = entry->gid,
	    .mtime = entry->mtime,
	    .mtime_nanos = entry->mtime_nanos};
	int r = read_xattrs(writer, entry, &block, &xattrs,
	    &printed.xattr_count, err);

	if (r < 0)
		return r;
	printed.xattrs = xattrs;
	if (type == TAR_CHAR || type == TAR_BLOCK_DEVICE) {
		printed.dev_major = major(entry->data);
		printed.dev_minor = minor(entry->data);
	}
	buf_reset(&writer->header);
	r = tar_entry_print(&writer->header, &printed, err);
	return r < 0
		   ? r
		   : put(writer, writer->header.data, writer->header.len, err);
}

/* A further name of what was written: first is the entry that it was then. */
static int put_link(struct plain_writer *writer,
    const struct layer_entry *entry, uint32_t first, struct err *err)
{
	AUTO_BUF struct buf link = BUF_INIT(TAR_NAME_MAX + 1);
	int r = plain_path(writer->builder, first, &link, err);

	return r < 0 ? r
		     : put_header(writer, entry, TAR_HARDLINK, buf_str(&link),
			   err);
}

/* The file that a hard link led to can be gone, and its first name that is left
 * is the file then. */
static int put_other(struct plain_writer *writer, uint32_t number,
    const struct layer_entry *entry, struct err *err)
{
	struct builder *builder = writer->builder;
	struct layer_entry *file = builder_entry(builder, entry->link);
	AUTO_FREE char *target = NULL;
	bool has_target = entry->flags & LAYER_DANGLING || S_ISLNK(entry->mode);
	int r;

	if (file->links)
		return put_link(writer, entry, file->links, err);
	file->links = number;
	if (has_target) {
		target = strdup(builder_target(builder, number));
		if (!target)
			return err_nomem(err);
	}
	if (entry->flags & LAYER_DANGLING)
		return put_header(writer, entry, TAR_HARDLINK, target, err);
	if (S_ISREG(entry->mode) && check_size(writer, entry, err) < 0)
		return -err->code;
	r = put_header(writer, entry, type_of(entry->mode),
	    target ? target : "", err);
	if (r < 0 || !S_ISREG(entry->mode))
		return r;
	return put_content(writer, entry, err);
}

static int put_entry(struct plain_writer *writer, uint32_t number,
    bool whiteout, struct err *err)
{
	/* What follows looks at others. */
	struct layer_entry entry = *builder_entry(writer->builder, number);
	int r = plain_path(writer->builder, number, &writer->path, err);

	if (r < 0)
		return r;
	if (S_ISDIR(entry.mode))
		return put_header(writer, &entry, TAR_DIRECTORY, "", err);
	if (!whiteout)
		return put_other(writer, number, &entry, err);
	/* It is its name: no link can lead to what is not unpacked. */
	entry.size = 0;
	return put_header(writer, &entry, TAR_FILE, "", err);
}

static bool is_whiteout(struct builder *builder, uint32_t number)
{
	uint32_t name = builder_entry(builder, number)->name;

	return !strncmp(builder_text(builder, name), ".wh.", 4);
}

static int put_all(struct plain_writer *writer, bool whiteouts, struct err *err)
{
	struct builder *builder = writer->builder;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < builder_count(builder); i++) {
		uint32_t flags = builder_entry(builder, i)->flags;

		if (!(flags & (ENTRY_REPLACED | LAYER_IMPLIED)) &&
		    is_whiteout(builder, i) == whiteouts)
			r = put_entry(writer, i, whiteouts, err);
	}
	return r;
}

int layer_plain_write(struct layer_plain *plain, int fd, uint64_t offset,
    struct sink *out, struct err *err)
{
	CLEANUP(writer_release)
	struct plain_writer writer = {.builder = plain->builder,
	    .fd = fd,
	    .offset = offset,
	    .out = out,
	    .piece = malloc(PIECE),
	    .path = BUF_INIT(TAR_NAME_MAX + 1),
	    .header = BUF_INIT(HEADER_MAX)};
	int r;

	if (!writer.piece)
		return err_nomem(err);
	if (plain->trouble.code) {
		*err = plain->trouble;
		return -err->code;
	}
	builder_settle(plain->builder);
	for (uint32_t i = 0; i < builder_count(plain->builder); i++)
		builder_entry(plain->builder, i)->links = 0;
	r = plain->builder->has_whiteouts ? put_all(&writer, true, err) : 0;
	if (r == 0)
		r = put_all(&writer, false, err);
	return r < 0 ? r : put_zeros(&writer, 2 * (uint64_t)TAR_BLOCK, err);
}
