/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of archives, as cp makes them by copy_file_range(2): of the image that
 * an archive stands for no byte is read or written, it gets another name in
 * the registry. The bytes come in pieces of up to a gigabyte, and the last one
 * makes the copy. And files that begin as what is there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/image_parts.h"
#include "table.h"

void upload_start_from_archive(struct upload *upload, struct save *save)
{
	upload->source = save_get(save);
	upload->copied = save_size(save);
	upload_become(upload, FILE_FOUND, NULL);
}

int upload_start_from_bytes(struct upload *upload, const void *data, size_t len,
    struct err *err)
{
	int r = spool_write(upload->spool, data, len, 0, err);

	if (r == 0)
		upload_become(upload, FILE_FOUND, NULL);
	return r;
}

ssize_t upload_copy_read(struct upload *upload, void *data, size_t len,
    uint64_t off, struct err *err)
{
	uint64_t copied = upload->copied;

	if (off >= copied)
		return 0;
	if (len > copied - off)
		len = (size_t)(copied - off);
	return save_read(upload->source, data, len, off, err);
}

/* Whether this piece is the first, or follows those before. */
static bool continues(const struct upload *upload, const struct save *save,
    uint64_t from_off, uint64_t to_off)
{
	if (from_off != to_off || !upload_is_open_to_bytes(upload) ||
	    spool_size(upload->spool) > 0)
		return false;
	if (to_off == 0)
		return true;
	return upload->source == save && upload->copied == to_off;
}

static ssize_t copy_begun(struct upload *upload, struct save *save,
    uint64_t off, size_t len, struct err *err)
{
	uint64_t size = save_size(save);
	uint64_t left = off < size ? size - off : 0;
	int r = 0;

	if (off == 0) {
		upload_copy_forget(upload);
		upload->source = save_get(save);
	}
	if (len > left)
		len = (size_t)left;
	upload->copied = off + len;
	if (upload->copied == size)
		r = upload_outcome(upload, upload_copy_finish(upload, err),
		    err);
	return r < 0 ? r : (ssize_t)len;
}

static bool puts_tag(const struct write_intent *intent)
{
	const struct write_kind *kind = intent_kind(intent);

	return kind && kind->is_archive && !kind->is_untagged;
}

ssize_t upload_copy(struct upload *upload, struct save *save, uint64_t from_off,
    uint64_t to_off, size_t len, struct err *err)
{
	ssize_t n = -EOPNOTSUPP;
	int r;

	if (!upload || !save || !puts_tag(&upload->intent))
		return -EOPNOTSUPP;
	/* Another registry has its blobs: they are to be read, and written. */
	if (save_image(save)->images != upload->intent.source->images)
		return -EOPNOTSUPP;
	if (upload->intent.effect == WRITE_ARCHIVE &&
	    upload->intent.where == WRITE_IN_REPOSITORY &&
	    !strcmp(upload->name, IMAGE_TAR))
		return err_set(err, EPERM,
		    "%s: give the copy its tag's name: cp 1.0/" IMAGE_TAR
		    " 2.0.tar",
		    upload->name);
	r = upload_begin(upload, err);
	if (r < 0)
		return r;
	if (continues(upload, save, from_off, to_off))
		n = copy_begun(upload, save, from_off, len, err);
	upload_end(upload);
	return n;
}

/* What was copied so far, as bytes: somebody goes on by writing. */
int upload_copy_spool(struct upload *upload, struct err *err)
{
	enum { PIECE = 256 << 10 };
	AUTO_FREE char *piece = malloc(PIECE);
	int r = piece ? 0 : err_nomem(err);

	for (uint64_t at = 0; r == 0 && at < upload->copied;) {
		uint64_t left = upload->copied - at;
		ssize_t n = save_read(upload->source, piece,
		    left < PIECE ? (size_t)left : PIECE, at, err);

		if (n <= 0)
			return n < 0 ? (int)n
				     : err_set(err, EIO,
					   "unexpected end of file");
		r = spool_write(upload->spool, piece, (size_t)n, at, err);
		at += (uint64_t)n;
	}
	if (r == 0)
		upload_copy_forget(upload);
	return r;
}
