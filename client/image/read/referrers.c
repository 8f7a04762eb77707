/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of what refers to images. */
#include "image/referrers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "catalog/listing.h"
#include "catalog/referrers_state.h"

void referrers_changed(struct images *images, const char *repository,
    const struct digest *subject)
{
	referrers_kept_changed(images_referrers(images), repository, subject);
}

int referrers_ask(struct images *images, const char *repository,
    const struct digest *subject, source_referrer_fn *each, void *arg,
    struct err *err)
{
	struct referrers_state *state = images_referrers(images);
	int api = atomic_load(&state->api);
	int r;

	if (api == API_ABSENT)
		return -EOPNOTSUPP;
	r = source_referrers(images_source(images), repository, subject, each,
	    arg, err);
	if (r >= 0)
		atomic_store(&state->api, API_PRESENT);
	/* That one repository has no list says nothing of others that have, and
	 * a login page says nothing for long. */
	else if (r == -EOPNOTSUPP && api == API_UNKNOWN && err->http != 200)
		atomic_store(&state->api, API_ABSENT);
	return r;
}

static int add_of_cosign(struct image *image, const struct names *tags,
    struct referrers_builder *builder, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < COSIGN_TAGS && r == 0; i++) {
		struct descriptor entry = {.media_type = MEDIA_OCI_MANIFEST,
		    .artifact_type = cosign_tags[i].artifact_type};
		char tag[COSIGN_TAG_SIZE];
		struct err reason = ERR_INIT;

		cosign_tag(&image->digest, &cosign_tags[i], tag);
		if (!names_has(tags, tag))
			continue;
		r = images_resolve(image->images, image->repository, tag,
		    &entry.digest, &reason);
		if (r == 0)
			r = referrers_builder_add(builder, &entry, err);
		else if (r == -ENOENT)
			r = 0;
		else
			*err = reason;
	}
	return r;
}

int referrers_among_tags(const struct image *image, struct names **out,
    struct err *err)
{
	struct err failure = ERR_INIT;
	int r = images_tags(image->images, image->repository, out, &failure);

	if (r == -ENOENT || r == -EACCES || r == -EOPNOTSUPP) {
		log_debug(LOG_FETCH, "which tags refer to images: %s",
		    failure.msg);
		return 0;
	}
	if (r < 0)
		*err = failure;
	return r;
}

/* What tags have; tags is NULL where it is not known which there are. */
static int add_of_tags(struct image *image, const struct names *tags,
    bool listed, struct referrers_builder *builder, struct err *err)
{
	char tag[REFERRERS_TAG_SIZE];
	int r = 0;

	referrers_tag(&image->digest, tag);
	if (!listed && (!tags || names_has(tags, tag)))
		r = referrers_tag_read(image->images, image->repository,
		    &image->digest, referrers_builder_add, builder, err);
	if (r == 0 && tags)
		r = add_of_cosign(image, tags, builder, err);
	return r;
}

static int load(struct image *image, struct referrers **out, struct err *err)
{
	CLEANUP(referrers_builder_free_p)
	struct referrers_builder *builder = referrers_builder_new(err);
	CLEANUP(names_put_p) struct names *tags = NULL;
	struct err reason = ERR_INIT;
	int listed, r;

	if (!builder)
		return -err->code;
	listed = referrers_ask(image->images, image->repository, &image->digest,
	    referrers_builder_add, builder, &reason);
	if (listed < 0 && listed != -EOPNOTSUPP) {
		*err = reason;
		return listed;
	}
	r = referrers_among_tags(image, &tags, err);
	if (r == 0)
		r = add_of_tags(image, tags, listed == 0, builder, err);
	if (r == 0)
		*out = referrers_builder_take(steal(&builder));
	return r;
}

int referrers_list(struct image *image, struct referrers **out, struct err *err)
{
	struct referrers_state *state = images_referrers(image->images);
	struct referrers_kept *loading;
	struct referrers *list = NULL;
	int r = referrers_kept_begin(state, image->repository, &image->digest,
	    images_options(image->images)->tag_ttl, out, &loading, err);

	if (r != 0)
		return r < 0 ? r : 0;
	r = load(image, &list, err);
	referrers_kept_end(state, loading, list);
	if (r == 0)
		*out = list;
	return r;
}
