/* SPDX-License-Identifier: Apache-2.0 */
/* Looks around in the repository before a push. */
#include "known.h"

#include <string.h>

#include "base/log.h"

/* A build's layers are mostly those of the build before. More tags than these
 * seldom add any, and each costs up to three requests. */
enum { OTHER_TAGS_MAX = 4 };

void push_known_init(struct push_known *known, const struct tag_ref *target)
{
	known->target = target;
	known->format = images_options(target->images)->format;
	monitor_init(&known->monitor);
}

void push_known_release(struct push_known *known)
{
	monitor_release(&known->monitor);
}

/* Only what is compressed is taken over, and what another tar was made of only
 * where that was asked for. */
static bool serves(const struct push_known *known,
    const struct layer_blob *blob)
{
	enum layer_kind kind =
	    layer_kind_of(blob->media_type, &blob->annotations);
	enum layer_kind wanted = known->format.kind;

	return layer_kind_serves(kind, wanted) &&
	       (kind == wanted || !digest_is_set(&blob->diff_id));
}

/* Whether an image has a layer that could be taken over. */
static bool has_wanted(const struct push_known *known,
    const struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->entry_count; i++) {
		const struct descriptor *layer = &manifest->entries[i];
		struct layer_annotations annotations;

		layer_annotations_take(&annotations, layer);
		if (layer_kind_serves(layer_kind_of(layer->media_type,
					  &annotations),
			known->format.kind))
			return true;
	}
	return false;
}

/* Reads a tag's image, by which its layers are learned. 1 if there are any that
 * could be taken over. */
static int look_at(const struct push_known *known, const char *tag,
    struct err *err)
{
	const struct tag_ref *target = known->target;
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
	if (r < 0)
		return r;
	layers_learn_image(image, config);
	return has_wanted(known, image->manifest);
}

/* The same; a failure is no error. */
static bool learn_tag(const struct push_known *known, const char *tag)
{
	struct err err = ERR_INIT;
	int r = look_at(known, tag, &err);

	if (r < 0)
		log_debug(LOG_PUSH, "%s:%s tells no layers: %s",
		    known->target->repository, tag, err.msg);
	return r == 1;
}

static bool learn_tags(const struct push_known *known)
{
	const struct tag_ref *target = known->target;
	CLEANUP(names_put_p) struct names *tags = NULL;
	bool any = learn_tag(known, target->tag);
	int left = OTHER_TAGS_MAX;

	if (images_tags(target->images, target->repository, &tags, ERR_IGNORE) <
	    0)
		return any;
	if (strcmp(target->tag, "latest") != 0 && names_has(tags, "latest")) {
		any |= learn_tag(known, "latest");
		left--;
	}
	/* The last of the list: versions grow. */
	for (size_t i = names_count(tags); i > 0 && left > 0; i--) {
		const char *tag = names_at(tags, i - 1);

		if (strcmp(tag, "latest") == 0 ||
		    strcmp(tag, target->tag) == 0 || tag_is_referrers(tag))
			continue;
		any |= learn_tag(known, tag);
		left--;
	}
	return any;
}

int push_known_learn(struct push_known *known, struct err *err)
{
	bool mine, familiar;
	int r;

	monitor_enter(&known->monitor);
	r = turn_wait(&known->turn, &known->monitor, err);
	mine = r == 0 && !known->asked;
	if (mine)
		turn_take(&known->turn, 0);
	monitor_leave(&known->monitor);
	if (!mine)
		return r;
	familiar = learn_tags(known);
	monitor_enter(&known->monitor);
	known->asked = true;
	known->familiar = familiar;
	turn_end(&known->turn, &known->monitor, NULL);
	monitor_leave(&known->monitor);
	return 0;
}

bool push_known_likely(struct push_known *known, const struct digest *diff_id)
{
	const struct tag_ref *target = known->target;
	struct layer_blob blobs[LAYER_BLOBS_MAX];
	bool familiar;

	if (digest_is_set(diff_id)) {
		int n = layers_find(target->images, target->repository, diff_id,
		    blobs, ERR_IGNORE);

		while (n > 0 && !serves(known, &blobs[n - 1]))
			n--;
		return n > 0;
	}
	monitor_enter(&known->monitor);
	familiar = known->familiar;
	monitor_leave(&known->monitor);
	return familiar;
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
    struct layer_written *out, struct err *err)
{
	const struct tag_ref *target = known->target;
	struct layer_blob blobs[LAYER_BLOBS_MAX];
	int n = layers_find(target->images, target->repository, diff_id, blobs,
	    ERR_IGNORE);

	for (int i = 0; i < n; i++) {
		const struct layer_blob *blob = &blobs[i];
		int r;

		if (!serves(known, blob) || came_before(blobs, i))
			continue;
		*out = (struct layer_written){.digest = blob->digest,
		    .size = blob->size,
		    .kind = layer_kind_of(blob->media_type, &blob->annotations),
		    .diff_id = blob->diff_id,
		    .annotations = blob->annotations};
		r = push_blob_find(target, &out->digest, out->size, err);
		if (r != 0)
			return r;
	}
	return 0;
}
