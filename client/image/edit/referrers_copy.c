/* SPDX-License-Identifier: Apache-2.0 */
/* What refers to an image, brought to where a copy of the image is. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "catalog/referrers_state.h"
#include "image/copy.h"

/* Real images have a handful; a registry can invent more without end. */
enum { SUBJECTS_MAX = 1000 };

/* The manifests whose referrers are copied, in the order in which they were
 * found; the list grows while it is walked. */
struct copying {
	struct tag_ref to;
	struct map seen; /* digests */
	struct image *subjects[SUBJECTS_MAX];
	size_t count;
};

static void copying_free(struct copying *copying)
{
	for (size_t i = 0; i < copying->count; i++)
		image_put(copying->subjects[i]);
	map_release(&copying->seen);
	free(copying);
}

DEFINE_CLEANUP(struct copying *, copying_free);

/* 1 if it is new, 0 if not. */
static int see(struct copying *copying, const struct digest *digest,
    struct err *err)
{
	char text[DIGEST_TEXT_SIZE];

	digest_format(digest, text);
	if (map_get(&copying->seen, text))
		return 0;
	return map_put(&copying->seen, text, copying) < 0 ? err_nomem(err) : 1;
}

static int add_subject(struct copying *copying, struct image *image,
    struct err *err)
{
	if (copying->count == SUBJECTS_MAX)
		return err_set(err, EFBIG,
		    "more than %d manifests that refer to one another",
		    SUBJECTS_MAX);
	copying->subjects[copying->count++] = image_get(image);
	return 0;
}

/* One manifest beside the subject, which is copied if `copy` says so. A list
 * may name what the registry does not have. */
static int follow(struct copying *copying, struct image *subject,
    const struct digest *digest, bool copy, struct err *err)
{
	CLEANUP(image_put_p) struct image *image = NULL;
	struct err reason = ERR_INIT;
	int r = see(copying, digest, err);

	if (r != 1)
		return r;
	r = image_open(subject->images, subject->repository, digest, &image,
	    &reason);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		*err = reason;
	if (r == 0 && copy)
		r = image_copy(image, &copying->to, err);
	return r < 0 ? r : add_subject(copying, image, err);
}

/* Which are found by their tag alone. */
static int copy_of_cosign(struct copying *copying, struct image *subject,
    struct err *err)
{
	CLEANUP(names_put_p) struct names *tags = NULL;
	int r = referrers_among_tags(subject, &tags, err);

	for (size_t i = 0; tags && i < COSIGN_TAGS && r == 0; i++) {
		CLEANUP(image_put_p) struct image *image = NULL;
		struct tag_ref to = copying->to;
		char tag[COSIGN_TAG_SIZE];

		to.tag = cosign_tag(&subject->digest, &cosign_tags[i], tag);
		to.untagged = false;
		if (!names_has(tags, tag))
			continue;
		r = image_open_tag(subject->images, subject->repository, tag,
		    &image, err);
		if (r == 0)
			r = see(copying, &image->digest, err);
		if (r >= 0)
			r = image_copy(image, &to, err);
		if (r == 0)
			r = add_subject(copying, image, err);
	}
	return r;
}

static int copy_referrers(struct copying *copying, struct image *subject,
    struct err *err)
{
	CLEANUP(referrers_put_p) struct referrers *referrers = NULL;
	int r = copy_of_cosign(copying, subject, err);

	if (r == 0)
		r = referrers_list(subject, &referrers, err);
	for (size_t i = 0; r == 0 && i < referrers->count; i++)
		r = follow(copying, subject, &referrers->entries[i].digest,
		    true, err);
	if (subject->manifest->kind != MANIFEST_INDEX)
		return r;
	for (size_t i = 0; r == 0 && i < subject->manifest->entry_count; i++)
		r = follow(copying, subject,
		    &subject->manifest->entries[i].digest, false, err);
	return r;
}

int referrers_copy(struct image *image, struct images *to,
    const char *repository, struct err *err)
{
	CLEANUP(copying_free_p)
	struct copying *copying = calloc(1, sizeof(*copying));
	int r;

	if (!copying)
		return err_nomem(err);
	copying->to = (struct tag_ref){.images = to,
	    .repository = repository,
	    .untagged = true};
	r = see(copying, &image->digest, err);
	if (r >= 0)
		r = add_subject(copying, image, err);
	for (size_t i = 0; r == 0 && i < copying->count; i++)
		r = copy_referrers(copying, copying->subjects[i], err);
	return r < 0 ? err_wrap(err, "referrers of the image") : 0;
}
