/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that a repository has, gets from another one, or is sent. */
#include "blob.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/strf.h"
#include "base/turn.h"
#include "catalog/progress.h"
#include "image/layers.h"

/* 1, 0, or -EINTR: whatever else keeps the registry from mounting it, the blob
 * can still be sent. */
static int mount_from(const struct tag_ref *target, const struct digest *digest,
    const char *from, struct err *err)
{
	struct err refusal = ERR_INIT;
	int r = source_blob_mount(images_source(target->images),
	    target->repository, digest, from, &refusal);

	if (r == -EINTR)
		*err = refusal;
	else if (r < 0)
		log_debug(LOG_PUSH, "not mounted: %s", refusal.msg);
	return r < 0 && r != -EINTR ? 0 : r;
}

static int mount_known(const struct tag_ref *target,
    const struct digest *digest, struct err *err)
{
	struct layer_blob known[LAYER_BLOBS_MAX];
	int n = layers_find(target->images, target->repository, digest, known,
	    ERR_IGNORE);

	for (int i = 0; i < n; i++) {
		int r;

		if (!digest_equal(&known[i].digest, digest) ||
		    strcmp(known[i].repository, target->repository) == 0)
			continue;
		r = mount_from(target, digest, known[i].repository, err);
		if (r != 0)
			return r;
	}
	return 0;
}

int push_blob_find(const struct tag_ref *target, const struct digest *digest,
    uint64_t size, struct err *err)
{
	int r = source_blob_head(images_source(target->images),
	    target->repository, digest, size, err);

	return r != 0 ? r : mount_known(target, digest, err);
}

static int put(const struct tag_ref *target, const struct digest *digest,
    const struct payload *body, struct err *err)
{
	struct payload counted = *body;
	int r = push_blob_find(target, digest, body->size, err);

	if (r == 1)
		return 0;
	if (target->progress)
		counted.sent = &target->progress->sent;
	if (r == 0)
		r = source_blob_put(images_source(target->images),
		    target->repository, digest, &counted, err);
	return r < 0 ? r : 1;
}

int push_blob_put(const struct tag_ref *target, const struct digest *digest,
    const struct payload *body, struct err *err)
{
	struct turns *turns = images_turns(target->images);
	char text[DIGEST_TEXT_SIZE];
	AUTO_FREE char *key =
	    strf("%s@%s", target->repository, digest_format(digest, text));
	int r = key ? turns_take(turns, key, err) : err_nomem(err);

	if (r == -EINTR)
		err_set(err, EINTR, "interrupted while another push sends %s",
		    key);
	if (r == 0) {
		r = put(target, digest, body, err);
		turns_end(turns, key);
	}
	return r < 0 ? err_wrap(err, "blob %s", digest_format(digest, text))
		     : r;
}
