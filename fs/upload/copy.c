/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of archives, as cp makes them by copy_file_range(2): of the image that
 * an archive stands for no byte is read or written, it gets another name in
 * the registry, or one in another registry, which is sent what it lacks. The
 * bytes come in pieces of up to a gigabyte, and the last one makes the copy.
 * And files that begin as what is there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/image_parts.h"
#include "written.h"

void written_file_start_from_archive(struct written_file *file,
    struct save *save)
{
	file->source = save_get(save);
	file->copied = save_size(save);
	written_file_become(file, FILE_FOUND, NULL);
}

int written_file_start_from_bytes(struct written_file *file, const void *data,
    size_t len, struct err *err)
{
	int r = spool_write(file->spool, data, len, 0, err);

	if (r == 0)
		written_file_become(file, FILE_FOUND, NULL);
	return r;
}

ssize_t written_file_copy_read(struct written_file *file, void *data,
    size_t len, uint64_t off, struct err *err)
{
	uint64_t copied = file->copied;

	if (off >= copied)
		return 0;
	if (len > copied - off)
		len = (size_t)(copied - off);
	return save_read(file->source, data, len, off, err);
}

/* Whether this piece is the first, or follows those before. */
static bool continues(const struct written_file *file, const struct save *save,
    uint64_t from_off, uint64_t to_off)
{
	if (from_off != to_off || !written_file_is_open_to_bytes(file) ||
	    spool_size(file->spool) > 0)
		return false;
	if (to_off == 0)
		return true;
	return file->source == save && file->copied == to_off;
}

static ssize_t copy_begun(struct written_file *file, struct save *save,
    uint64_t off, size_t len, struct err *err)
{
	uint64_t size = save_size(save);
	uint64_t left = off < size ? size - off : 0;
	int r = 0;

	if (off == 0) {
		written_file_copy_forget(file);
		file->source = save_get(save);
	}
	if (len > left)
		len = (size_t)left;
	file->copied = off + len;
	if (file->copied == size)
		r = written_file_outcome(file,
		    written_file_copy_finish(file, err), err);
	return r < 0 ? r : (ssize_t)len;
}

static bool puts_tag(const struct write_intent *intent)
{
	const struct write_kind *kind = intent_kind(intent);

	return kind && kind->is_archive && !kind->is_untagged;
}

ssize_t written_file_copy(struct written_file *file, struct save *save,
    uint64_t from_off, uint64_t to_off, size_t len, struct err *err)
{
	ssize_t n = -EOPNOTSUPP;
	int r;

	if (!file || !save || !puts_tag(&file->intent))
		return -EOPNOTSUPP;
	if (file->intent.effect == WRITE_ARCHIVE &&
	    file->intent.where == WRITE_IN_REPOSITORY &&
	    image_part_is(file->name, IMAGE_ARCHIVE))
		return err_set(err, EPERM,
		    IMAGE_TAR " is not a tag's name: give the copy its tag's "
			      "name (cp 1.0/" IMAGE_TAR " 2.0.tar)");
	r = written_file_begin(file, err);
	if (r < 0)
		return r;
	if (continues(file, save, from_off, to_off))
		n = copy_begun(file, save, from_off, len, err);
	written_file_end(file);
	return n;
}

/* What was copied so far, as bytes: somebody goes on by writing. */
int written_file_copy_spool(struct written_file *file, struct err *err)
{
	enum { PIECE = 256 << 10 };
	AUTO_FREE char *piece = malloc(PIECE);
	int r = piece ? 0 : err_nomem(err);

	for (uint64_t at = 0; r == 0 && at < file->copied;) {
		uint64_t left = file->copied - at;
		ssize_t n = save_read(file->source, piece,
		    left < PIECE ? (size_t)left : PIECE, at, err);

		if (n <= 0)
			return n < 0 ? (int)n
				     : err_set(err, EIO,
					   "unexpected end of file");
		r = spool_write(file->spool, piece, (size_t)n, at, err);
		at += (uint64_t)n;
	}
	if (r == 0)
		written_file_copy_forget(file);
	return r;
}
