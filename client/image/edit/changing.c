/* SPDX-License-Identifier: Apache-2.0 */
/* Tags that are being changed. */
#include "changing.h"

#include <errno.h>
#include <stdlib.h>

#include "base/budget.h"
#include "base/strf.h"
#include "base/turn.h"
#include "oci/edit.h"
#include "push/manifest.h"

void changing_end(struct changing *changing)
{
	image_put(changing->shown);
	image_put(changing->top);
	tag_unlock(changing->target->images, changing->lock);
}

int tag_lock(struct images *images, const char *repository, const char *tag,
    char **lock, struct err *err)
{
	AUTO_FREE char *key = strf("%s:%s", repository, tag);
	int r =
	    key ? turns_take(images_turns(images), key, err) : err_nomem(err);

	if (r == 0)
		*lock = steal(&key);
	return r == -EINTR ? err_set(err, EINTR,
				 "interrupted while waiting for another change "
				 "of %s",
				 key)
			   : r;
}

void tag_unlock(struct images *images, char *lock)
{
	if (!lock)
		return;
	turns_end(images_turns(images), lock);
	free(lock);
}

int changing_begin(struct changing *changing, struct err *err)
{
	const struct tag_ref *target = changing->target;
	int r;

	budget_be_patient();
	r = tag_lock(target->images, target->repository, target->tag,
	    &changing->lock, err);
	if (r == 0)
		r = image_open_tag_now(target->images, target->repository,
		    target->tag, &changing->top, err);
	/* What the source says itself is that it lost the manifest. */
	return r == -ENOENT && !err->http
		   ? err_set(err, ENOENT,
			 "the tag is gone: it was moved or removed meanwhile")
		   : r;
}

int changing_begin_image(struct changing *changing, struct err *err)
{
	int r = changing_begin(changing, err);

	if (r == 0)
		r = image_platform(changing->top, &changing->shown, err);
	if (r < 0 || manifest_is_image(changing->shown->manifest))
		return r;
	return err_set(err, EINVAL,
	    "this is an artifact, not an image: it has no layers or config to "
	    "change");
}

int changing_put_bytes(const struct tag_ref *target, const void *data,
    size_t len, const char *media_type, struct digest *out, struct err *err)
{
	struct archive_manifest manifest = {.data = data,
	    .len = len,
	    .media_type = media_type};
	int r = digest_of(DIGEST_SHA256, data, len, &manifest.digest, err);

	if (r == 0)
		r = push_manifest_put_last(target, &manifest, err);
	if (r < 0)
		return r;
	if (!target->untagged)
		images_tag_changed(target->images, target->repository,
		    target->tag, &manifest.digest);
	*out = manifest.digest;
	return 0;
}

static struct tag_ref by_digest(const struct tag_ref *target)
{
	struct tag_ref untagged = *target;

	untagged.untagged = true;
	return untagged;
}

/* The manifest of the platform's image has been replaced. */
int changing_put_image(const struct changing *changing, const void *data,
    size_t len, const char *media_type, struct digest *tag, struct err *err)
{
	const struct tag_ref untagged = by_digest(changing->target);
	AUTO_BUF struct buf index = BUF_INIT(MANIFEST_MAX_BYTES);
	struct descriptor entry = {.media_type = media_type, .size = len};
	int r =
	    digest_of(changing->shown->digest.algorithm, data, len, tag, err);

	if (r < 0)
		return r;
	/* An index that names it would be printed in another way. */
	if (digest_equal(tag, &changing->shown->digest)) {
		*tag = changing->top->digest;
		return 0;
	}
	if (changing->top->manifest->kind != MANIFEST_INDEX)
		return changing_put_bytes(changing->target, data, len,
		    media_type, tag, err);
	r = changing_put_bytes(&untagged, data, len, media_type, &entry.digest,
	    err);
	if (r == 0)
		r = index_replace(&index, changing->top->data,
		    changing->top->len, &changing->shown->digest, &entry, err);
	return r < 0
		   ? r
		   : changing_put_bytes(changing->target, index.data, index.len,
			 changing->top->manifest->media_type, tag, err);
}
