/* SPDX-License-Identifier: Apache-2.0 */
/* Looks around in the repository before a push. */
#include "push_known.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

/* A build's layers are mostly those of the build before. More tags than these
 * seldom add any, and each costs up to three requests. */
enum { OTHER_TAGS_MAX = 4 };

void push_known_init(struct push_known *known, const struct push_target *target)
{
	known->target = target;
	monitor_init(&known->monitor);
}

void push_known_release(struct push_known *known)
{
	monitor_release(&known->monitor);
}

/* Reads a tag's image, by which its layers are learned. */
static int look_at(const struct push_target *target, const char *tag,
    struct err *err)
{
	CLEANUP(image_put_p) struct image *top = NULL;
	CLEANUP(image_put_p) struct image *image = NULL;
	const struct config *config = NULL;
	struct digest digest;
	int r = images_resolve(target->images, target->repository, tag, &digest,
	    err);

	if (r == 0)
		r = image_open(target->images, target->repository, &digest,
		    &top, err);
	if (r == 0)
		r = image_platform(top, &image, err);
	if (r == 0)
		r = image_config(image, &config, err);
	if (r == 0)
		layers_learn_image(image);
	return r;
}

/* The same where a failure is none: 1 or 0. */
static bool learn_tag(const struct push_target *target, const char *tag)
{
	struct err err = ERR_INIT;

	if (look_at(target, tag, &err) == 0)
		return true;
	log_debug(LOG_PUSH, "%s:%s tells no layers: %s", target->repository,
	    tag, err.msg);
	return false;
}

static bool learn_tags(const struct push_target *target)
{
	CLEANUP(names_put_p) struct names *tags = NULL;
	struct err err = ERR_INIT;
	bool any = learn_tag(target, target->tag);
	int left = OTHER_TAGS_MAX;

	if (images_tags(target->images, target->repository, &tags, &err) < 0)
		return any;
	if (strcmp(target->tag, "latest") != 0 && names_has(tags, "latest")) {
		any |= learn_tag(target, "latest");
		left--;
	}
	/* The last of the list: versions grow. */
	for (size_t i = names_count(tags); i > 0 && left > 0; i--) {
		const char *tag = names_at(tags, i - 1);

		if (strcmp(tag, "latest") == 0 ||
		    strcmp(tag, target->tag) == 0 || tag_is_referrers(tag))
			continue;
		any |= learn_tag(target, tag);
		left--;
	}
	return any;
}

int push_known_learn(struct push_known *known, struct err *err)
{
	bool mine, familiar;
	int r = 0;

	monitor_enter(&known->monitor);
	while (known->state == KNOWN_ASKING && r == 0)
		r = monitor_wait(&known->monitor);
	mine = known->state == KNOWN_NOT_ASKED;
	if (mine)
		known->state = KNOWN_ASKING;
	monitor_leave(&known->monitor);
	if (r < 0)
		return err_set(err, EINTR, "interrupted");
	if (!mine)
		return 0;
	familiar = learn_tags(known->target);
	monitor_enter(&known->monitor);
	known->state = KNOWN_ASKED;
	known->familiar = familiar;
	monitor_notify(&known->monitor);
	monitor_leave(&known->monitor);
	return 0;
}

bool push_known_likely(struct push_known *known, const struct digest *diff_id)
{
	const struct push_target *target = known->target;
	struct layer_blob blobs[LAYER_BLOBS_MAX];
	struct err err = ERR_INIT;
	bool familiar;

	if (digest_is_set(diff_id))
		return layers_find(target->images, target->repository, diff_id,
			   blobs, &err) > 0;
	monitor_enter(&known->monitor);
	familiar = known->familiar;
	monitor_leave(&known->monitor);
	return familiar;
}

/* Only compressed ones: what is there uncompressed is not taken over. */
static enum compression media_compression(const char *media_type)
{
	if (strcmp(media_type, MEDIA_OCI_LAYER_GZIP) == 0 ||
	    strcmp(media_type, MEDIA_DOCKER_LAYER_GZIP) == 0)
		return COMPRESSION_GZIP;
	if (strcmp(media_type, MEDIA_OCI_LAYER_ZSTD) == 0)
		return COMPRESSION_ZSTD;
	return COMPRESSION_NONE;
}

/* A blob is there once for each repository where it was seen. */
static bool came_before(const struct layer_blob *blobs, int i)
{
	for (int j = 0; j < i; j++)
		if (digest_equal(&blobs[j].digest, &blobs[i].digest))
			return true;
	return false;
}

int push_known_find(struct push_known *known, const struct digest *diff_id,
    struct layer_blob *out, enum compression *compression, struct err *err)
{
	const struct push_target *target = known->target;
	struct layer_blob blobs[LAYER_BLOBS_MAX];
	struct err ignored = ERR_INIT;
	int n = layers_find(target->images, target->repository, diff_id, blobs,
	    &ignored);

	for (int i = 0; i < n; i++) {
		int r;

		*compression = media_compression(blobs[i].media_type);
		if (*compression == COMPRESSION_NONE || came_before(blobs, i))
			continue;
		*out = blobs[i];
		r = push_blob_find(target, &out->digest, out->size, err);
		if (r != 0)
			return r;
	}
	return 0;
}
