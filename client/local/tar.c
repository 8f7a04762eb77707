/* SPDX-License-Identifier: Apache-2.0 */
/* A directory tree as a tar. It is frozen: what is in it stays as it is, though
 * others use the same lock meanwhile. */
#include "local/tar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/task.h"
#include "state.h"
#include "tar/header.h"

enum {
	PIECE = 1 << 20,
	/* Of one entry: its block, and pax's with 1 MiB at most. */
	HEADER_MAX = TAR_EXTENDED_MAX + 4 * TAR_BLOCK,
};

struct tree_writer {
	const struct local_tar_options *options;
	struct sink *sink;
	char path[TAR_NAME_MAX + 2]; /* of where it is, with its last '/' */
	size_t len;
	struct map first; /* inode's number → the name that has its content */
	struct arena names;
	struct buf header;
	char *piece;
};

static void writer_release(struct tree_writer *writer)
{
	map_release(&writer->first);
	arena_release(&writer->names);
	buf_release(&writer->header);
	free(writer->piece);
}

static int by_text(const void *one, const void *two)
{
	const struct local_name *const *a = one, *const *b = two;

	return strcmp((*a)->text, (*b)->text);
}

/* The names in a directory, sorted; NULL after the last. */
static struct local_name **sorted_names(struct local_inode *dir,
    struct err *err)
{
	struct local_name **names;
	size_t count = 0;

	SCOPED_LOCK(&dir->fs->lock);
	for (struct local_name *n = dir->names; n; n = n->after)
		count++;
	names = calloc(count + 1, sizeof(struct local_name *));
	if (!names) {
		err_nomem(err);
		return NULL;
	}
	count = 0;
	for (struct local_name *n = dir->names; n; n = n->after)
		names[count++] = n;
	qsort(names, count, sizeof(struct local_name *), by_text);
	return names;
}

/* The attributes of an entry; *out is NULL where there are none. They stay
 * where they are. */
static int list_xattrs(struct local_inode *inode, struct tar_xattr **out,
    size_t *count, struct err *err)
{
	size_t n = 0;

	SCOPED_LOCK(&inode->fs->lock);
	for (const struct local_xattr *x = inode->xattrs; x; x = x->after)
		n++;
	*count = n;
	if (n == 0)
		return 0;
	*out = calloc(n, sizeof(**out));
	if (!*out)
		return err_nomem(err);
	n = 0;
	for (const struct local_xattr *x = inode->xattrs; x; x = x->after)
		(*out)[n++] =
		    (struct tar_xattr){x->data, x->data + x->name_size, x->len};
	return 0;
}

/* False for what no tar has. */
static bool tar_type_of(mode_t mode, enum tar_type *out)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		*out = TAR_FILE;
		return true;
	case S_IFDIR:
		*out = TAR_DIRECTORY;
		return true;
	case S_IFLNK:
		*out = TAR_SYMLINK;
		return true;
	case S_IFCHR:
		*out = TAR_CHAR;
		return true;
	case S_IFBLK:
		*out = TAR_BLOCK_DEVICE;
		return true;
	case S_IFIFO:
		*out = TAR_FIFO;
		return true;
	default:
		return false;
	}
}

/* Whether the entry at writer->path is another name for what has been written,
 * which *link is then set to. */
static int find_link(struct tree_writer *writer,
    const struct local_inode *inode, const struct stat *st, const char **link,
    struct err *err)
{
	const char *first;
	char key[24];
	char *name;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return 0;
	snprintf(key, sizeof(key), "%" PRIx64, inode->number);
	first = map_get(&writer->first, key);
	if (first) {
		*link = first;
		return 1;
	}
	name = arena_strdup(&writer->names, writer->path);
	if (!name || map_put(&writer->first, key, name) < 0)
		return err_nomem(err);
	return 0;
}

static int write_header(struct tree_writer *writer, struct local_inode *inode,
    struct tar_entry *entry, struct err *err)
{
	AUTO_FREE struct tar_xattr *xattrs = NULL;
	int r = 0;

	if (entry->type != TAR_HARDLINK)
		r = list_xattrs(inode, &xattrs, &entry->xattr_count, err);
	if (r < 0)
		return r;
	entry->xattrs = xattrs;
	buf_reset(&writer->header);
	r = tar_entry_print(&writer->header, entry, err);
	if (r == 0)
		r = sink_write(writer->sink, writer->header.data,
		    writer->header.len, err);
	return r;
}

static int write_zeros(struct tree_writer *writer, size_t len, struct err *err)
{
	static const char zeros[2 * TAR_BLOCK];

	return sink_write(writer->sink, zeros, len, err);
}

static int write_content(struct tree_writer *writer, struct local_inode *inode,
    uint64_t size, struct err *err)
{
	for (uint64_t off = 0; off < size;) {
		uint64_t left = size - off;
		ssize_t n = local_read(inode, writer->piece,
		    left < PIECE ? (size_t)left : PIECE, off, err);
		int r;

		if (n < 0)
			return (int)n;
		if (n == 0)
			return err_set(err, EIO,
			    "%s: its content became shorter", writer->path);
		if (task_interrupted())
			return err_set(err, EINTR, "interrupted");
		r = sink_write(writer->sink, writer->piece, (size_t)n, err);
		if (r < 0)
			return r;
		off += (uint64_t)n;
	}
	return write_zeros(writer, (size_t)tar_padding(size), err);
}

static int write_file(struct tree_writer *writer, struct local_inode *inode,
    uint64_t size, struct err *err)
{
	int r;

	if (size == 0)
		return 0;
	r = local_open(inode, err);
	if (r < 0)
		return r;
	r = write_content(writer, inode, size, err);
	local_close(inode);
	return r;
}

static int write_entry(struct tree_writer *writer, struct local_inode *inode,
    struct err *err)
{
	struct tar_entry entry = {.name = writer->path, .link = ""};
	struct stat st;
	int r;

	local_stat(inode, &st);
	if (!tar_type_of(st.st_mode, &entry.type))
		return 0;
	entry.mode = st.st_mode & 07777;
	entry.uid = st.st_uid;
	entry.gid = st.st_gid;
	entry.mtime = st.st_mtim.tv_sec;
	if (entry.mtime > writer->options->latest)
		entry.mtime = writer->options->latest;
	entry.dev_major = major(st.st_rdev);
	entry.dev_minor = minor(st.st_rdev);
	if (entry.type == TAR_SYMLINK)
		entry.link = local_target(inode);
	r = find_link(writer, inode, &st, &entry.link, err);
	if (r == 1)
		entry.type = TAR_HARDLINK;
	if (entry.type == TAR_FILE)
		entry.size = (uint64_t)st.st_size;
	if (r >= 0)
		r = write_header(writer, inode, &entry, err);
	return r < 0 ? r : write_file(writer, inode, entry.size, err);
}

/* Goes down to a name; what it returns is to be given to leave(). */
static int enter(struct tree_writer *writer, const struct local_name *name,
    struct err *err)
{
	bool is_directory = S_ISDIR(name->inode->mode);
	size_t len = strlen(name->text);

	if (writer->len + len + is_directory > TAR_NAME_MAX)
		return err_set(err, ENAMETOOLONG,
		    "a tar cannot hold a path of more than %d bytes: %s%s",
		    TAR_NAME_MAX, writer->path, name->text);
	memcpy(writer->path + writer->len, name->text, len + 1);
	writer->len += len;
	if (is_directory) {
		writer->path[writer->len++] = '/';
		writer->path[writer->len] = '\0';
	}
	return 0;
}

/* The path is no longer than TAR_NAME_MAX, so this does not go deep. */
static int write_names(struct tree_writer *writer, struct local_inode *dir,
    const char *left_out, struct err *err)
{
	AUTO_FREE struct local_name **names = sorted_names(dir, err);
	size_t len = writer->len;
	int r = names ? 0 : -err->code;

	for (size_t i = 0; r == 0 && names[i]; i++) {
		struct local_inode *inode = names[i]->inode;

		if (left_out && !strcmp(names[i]->text, left_out))
			continue;
		r = enter(writer, names[i], err);
		if (r == 0)
			r = write_entry(writer, inode, err);
		if (r == 0 && S_ISDIR(inode->mode))
			r = write_names(writer, inode, NULL, err);
		writer->len = len;
		writer->path[len] = '\0';
		if (r == 0 && task_interrupted())
			r = err_set(err, EINTR, "interrupted");
	}
	return r;
}

static int write_root(struct tree_writer *writer, struct local_inode *dir,
    struct err *err)
{
	int r;

	snprintf(writer->path, sizeof(writer->path), "./");
	r = write_entry(writer, dir, err);
	writer->path[0] = '\0';
	return r;
}

int local_tar(struct local_inode *dir, const struct local_tar_options *options,
    struct sink *sink, struct err *err)
{
	CLEANUP(writer_release)
	struct tree_writer writer = {.options = options,
	    .sink = sink,
	    .first = MAP_INIT,
	    .names = ARENA_INIT,
	    .header = BUF_INIT(HEADER_MAX),
	    .piece = malloc(PIECE)};
	int r = 0;

	if (!writer.piece)
		return err_nomem(err);
	if (options->with_root)
		r = write_root(&writer, dir, err);
	if (r == 0)
		r = write_names(&writer, dir, options->left_out, err);
	return r < 0 ? r : write_zeros(&writer, 2 * (size_t)TAR_BLOCK, err);
}
