/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of what refers to images. */
#include "image/referrers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "listing.h"
#include "referrers_state.h"

/* One image's list, as it was last. */
struct kept {
	struct referrers *list; /* NULL while there is none */
	int64_t loaded;
	bool loading;
	bool changed; /* while it was loaded */
};

struct referrers_state *referrers_state_new(struct err *err)
{
	struct referrers_state *state = calloc(1, sizeof(*state));

	if (state)
		monitor_init(&state->monitor);
	else
		err_nomem(err);
	return state;
}

static void kept_free(void *arg)
{
	struct kept *kept = arg;

	referrers_put(kept->list);
	free(kept);
}

void referrers_state_free(struct referrers_state *state)
{
	if (!state)
		return;
	map_foreach (&state->kept, slot)
		kept_free(slot->value);
	map_release(&state->kept);
	monitor_release(&state->monitor);
	free(state);
}

static char *kept_key(const char *repository, const struct digest *subject)
{
	char text[DIGEST_TEXT_SIZE];

	return file_path("%s@%s", repository, digest_format(subject, text));
}

static bool is_fresh(const struct kept *kept, int64_t now, unsigned ttl)
{
	return kept->list && now - kept->loaded < (int64_t)ttl;
}

static bool is_kept(void *value, int64_t now, unsigned ttl)
{
	const struct kept *kept = value;

	return kept->loading || is_fresh(kept, now, ttl);
}

/* What is kept under the key, made if there is nothing. In the monitor. */
static struct kept *find(struct referrers_state *state, const char *key)
{
	struct kept *kept = map_get(&state->kept, key);

	if (kept)
		return kept;
	kept = calloc(1, sizeof(*kept));
	if (kept && map_put(&state->kept, key, kept) < 0) {
		free(kept);
		return NULL;
	}
	return kept;
}

/* 1 with a fresh list in *out, or 0: the caller is to load it. In the
 * monitor. */
static int begin(struct referrers_state *state, const char *key, unsigned ttl,
    struct referrers **out, struct err *err)
{
	struct kept *kept;

	map_drop_old(&state->kept, LISTINGS_MANY, is_kept, kept_free,
	    clock_seconds(), ttl);
	while ((kept = find(state, key)) && kept->loading) {
		if (monitor_wait(&state->monitor) < 0)
			return err_set(err, EINTR, "interrupted");
	}
	if (!kept)
		return err_nomem(err);
	if (is_fresh(kept, clock_seconds(), ttl)) {
		*out = referrers_get(kept->list);
		return 1;
	}
	kept->loading = true;
	kept->changed = false;
	return 0;
}

/* list: NULL where loading failed. In the monitor. */
static void end(struct referrers_state *state, const char *key,
    struct referrers *list)
{
	struct kept *kept = map_get(&state->kept, key);

	kept->loading = false;
	if (list) {
		referrers_put(kept->list);
		kept->list = referrers_get(list);
		kept->loaded = kept->changed ? INT64_MIN / 2 : clock_seconds();
	}
	monitor_notify(&state->monitor);
}

void referrers_changed(struct images *images, const char *repository,
    const struct digest *subject)
{
	struct referrers_state *state = images_referrers(images);
	AUTO_FREE char *key = kept_key(repository, subject);
	struct kept *kept;

	if (!key)
		return; /* what is kept ends by itself soon */
	monitor_enter(&state->monitor);
	kept = map_get(&state->kept, key);
	if (kept) {
		kept->changed = true;
		kept->loaded = INT64_MIN / 2;
	}
	monitor_leave(&state->monitor);
}

int referrers_ask(struct images *images, const char *repository,
    const struct digest *subject, registry_referrer_fn *each, void *arg,
    struct err *err)
{
	struct referrers_state *state = images_referrers(images);
	int api = atomic_load(&state->api);
	int r;

	if (api == API_ABSENT)
		return -EOPNOTSUPP;
	r = registry_referrers(images_registry(images), repository, subject,
	    each, arg, err);
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
		struct err none = ERR_INIT;

		cosign_tag(&image->digest, &cosign_tags[i], tag);
		if (!names_has(tags, tag))
			continue;
		r = images_resolve(image->images, image->repository, tag,
		    &entry.digest, &none);
		if (r == 0)
			r = referrers_builder_add(builder, &entry, err);
		else if (r == -ENOENT)
			r = 0;
		else
			*err = none;
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
	struct err none = ERR_INIT;
	int listed, r;

	if (!builder)
		return -err->code;
	listed = referrers_ask(image->images, image->repository, &image->digest,
	    referrers_builder_add, builder, &none);
	if (listed < 0 && listed != -EOPNOTSUPP) {
		*err = none;
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
	AUTO_FREE char *key = kept_key(image->repository, &image->digest);
	struct referrers *list = NULL;
	int r;

	if (!key)
		return err_nomem(err);
	monitor_enter(&state->monitor);
	r = begin(state, key, images_options(image->images)->tag_ttl, out, err);
	monitor_leave(&state->monitor);
	if (r != 0)
		return r < 0 ? r : 0;
	r = load(image, &list, err);
	monitor_enter(&state->monitor);
	end(state, key, list);
	monitor_leave(&state->monitor);
	if (r == 0)
		*out = list;
	return r;
}
