/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are being written, compared with what is there. */
#include <stdlib.h>

#include "node/mount.h"
#include "table.h"

static int digest_upload(struct upload *upload, struct hasher *hasher,
    struct digest *out, struct err *err)
{
	enum { PIECE = 256 << 10 };
	AUTO_FREE char *piece = malloc(PIECE);
	uint64_t at = 0;
	ssize_t n;
	int r = piece ? 0 : err_nomem(err);

	while (r == 0 &&
	       (n = spool_read(upload->spool, piece, PIECE, at, err)) != 0) {
		r = n < 0 ? (int)n
			  : hasher_update(hasher, piece, (size_t)n, err);
		at += (uint64_t)n;
	}
	return r < 0 ? r : hasher_finish(hasher, out, err);
}

/* Between begin and end. */
static int has_bytes(struct upload *upload, const struct descriptor *blob,
    struct err *err)
{
	CLEANUP(hasher_free_p) struct hasher *hasher = NULL;
	struct digest digest;
	int r;

	if (upload->source || upload->state >= FILE_DONE ||
	    spool_size(upload->spool) != blob->size)
		return 0;
	hasher = hasher_new(blob->digest.algorithm, err);
	if (!hasher)
		return -err->code;
	r = digest_upload(upload, hasher, &digest, err);
	return r < 0 ? r : digest_equal(&digest, &blob->digest);
}

int upload_has_bytes(struct node *dir, const char *name,
    const struct descriptor *blob, struct err *err)
{
	CLEANUP(upload_put_p)
	struct upload *upload = uploads_find_in(dir, name);
	int r;

	if (!upload)
		return 0;
	r = upload_begin(upload, err);
	if (r < 0)
		return r;
	r = has_bytes(upload, blob, err);
	upload_end(upload);
	return r;
}
