/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are being written, compared with what is there. */
#include <stdlib.h>

#include "node/mount.h"
#include "written.h"

static int digest_upload(struct written_file *file, struct hasher *hasher,
    struct digest *out, struct err *err)
{
	enum { PIECE = 256 << 10 };
	AUTO_FREE char *piece = malloc(PIECE);
	uint64_t at = 0;
	ssize_t n;
	int r = piece ? 0 : err_nomem(err);

	while (r == 0 &&
	       (n = spool_read(file->spool, piece, PIECE, at, err)) != 0) {
		r = n < 0 ? (int)n
			  : hasher_update(hasher, piece, (size_t)n, err);
		at += (uint64_t)n;
	}
	return r < 0 ? r : hasher_finish(hasher, out, err);
}

/* Between begin and end. */
static int has_bytes(struct written_file *file, const struct descriptor *blob,
    struct err *err)
{
	CLEANUP(hasher_free_p) struct hasher *hasher = NULL;
	struct digest digest;
	int r;

	if (file->source || file->state >= FILE_DONE ||
	    spool_size(file->spool) != blob->size)
		return 0;
	hasher = hasher_new(blob->digest.algorithm, err);
	if (!hasher)
		return -err->code;
	r = digest_upload(file, hasher, &digest, err);
	return r < 0 ? r : digest_equal(&digest, &blob->digest);
}

int written_file_has_bytes(struct node *dir, const char *name,
    const struct descriptor *blob, struct err *err)
{
	CLEANUP(written_file_put_p)
	struct written_file *file = written_names_find_in(dir, name);
	int r;

	if (!file)
		return 0;
	r = written_file_begin(file, err);
	if (r < 0)
		return r;
	r = has_bytes(file, blob, err);
	written_file_end(file);
	return r;
}
