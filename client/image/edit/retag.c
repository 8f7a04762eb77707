/* SPDX-License-Identifier: Apache-2.0 */
/* Tags that get another name. */
#include "image/retag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/log.h"
#include "changing.h"
#include "image/copy.h"
#include "image/referrers.h"
#include "image/untag.h"

/* What refers to an image is in its own repository already. */
static int bring_referrers(struct image *image, const struct tag_ref *to,
    bool referrers, struct err *err)
{
	if (!referrers || (image->images == to->images &&
			      strcmp(image->repository, to->repository) == 0))
		return 0;
	return referrers_copy(image, to->images, to->repository, err);
}

int tag_copy(struct image *image, const struct tag_ref *to, bool referrers,
    struct err *err)
{
	int r = bring_referrers(image, to, referrers, err);

	return r < 0 ? r : image_copy(image, to, err);
}

/* Two tags while they are changed, and what they name. */
struct tag_pair {
	struct tag_ref names[2]; /* the pair's own */
	/* In the order in which they are locked. */
	struct images *locked[2];
	char *locks[2];
	struct image *first, *second; /* NULL: there is none */
};

static void pair_free(struct tag_pair *pair)
{
	image_put(pair->first);
	image_put(pair->second);
	for (size_t i = 0; i < 2; i++) {
		tag_unlock(pair->locked[1 - i], pair->locks[1 - i]);
		free((char *)(uintptr_t)pair->names[i].repository);
		free((char *)(uintptr_t)pair->names[i].tag);
	}
	free(pair);
}

DEFINE_CLEANUP(struct tag_pair *, pair_free);

static void pair_release(void *arg)
{
	pair_free(arg);
}

static bool name_copy(struct tag_ref *out, const struct tag_ref *name)
{
	*out = *name;
	out->repository = strdup(name->repository);
	out->tag = strdup(name->tag);
	return out->repository && out->tag;
}

static int order(const struct tag_ref *a, const struct tag_ref *b)
{
	int r = strcmp(source_name(images_source(a->images)),
	    source_name(images_source(b->images)));

	if (r == 0)
		r = strcmp(a->repository, b->repository);
	return r ? r : strcmp(a->tag, b->tag);
}

static int lock(struct tag_pair *pair, size_t i, const struct tag_ref *name,
    struct err *err)
{
	pair->locked[i] = name->images;
	return tag_lock(name->images, name->repository, name->tag,
	    &pair->locks[i], err);
}

static int lock_both(struct tag_pair *pair, const struct tag_ref *a,
    const struct tag_ref *b, struct err *err)
{
	const struct tag_ref *low = order(a, b) < 0 ? a : b;
	const struct tag_ref *high = low == a ? b : a;
	int r = lock(pair, 0, low, err);

	return r < 0 ? r : lock(pair, 1, high, err);
}

static int pair_open(struct tag_pair *pair, struct err *err)
{
	const struct tag_ref *first = &pair->names[0];
	const struct tag_ref *second = &pair->names[1];
	struct err reason = ERR_INIT;
	int r = lock_both(pair, first, second, err);

	if (r == 0)
		r = image_open_tag_now(first->images, first->repository,
		    first->tag, &pair->first, err);
	if (r < 0)
		return r;
	r = image_open_tag_now(second->images, second->repository, second->tag,
	    &pair->second, &reason);
	if (r < 0 && r != -ENOENT)
		*err = reason;
	return r == -ENOENT ? 0 : r;
}

static int pair_begin(const struct tag_ref *first, const struct tag_ref *second,
    struct tag_pair **out, struct err *err)
{
	CLEANUP(pair_free_p) struct tag_pair *pair = calloc(1, sizeof(*pair));
	int r;

	if (!pair)
		return err_nomem(err);
	budget_be_patient();
	if (!name_copy(&pair->names[0], first) ||
	    !name_copy(&pair->names[1], second))
		return err_nomem(err);
	r = pair_open(pair, err);
	if (r == 0)
		*out = steal(&pair);
	return r;
}

/* Takes the pair. */
static int complete(struct tag_pair *pair,
    int (*change)(void *arg, struct err *), struct err *err)
{
	const struct work work = {change, pair_release, pair};

	return completer_do(images_completer(pair->names[0].images), &work,
	    err);
}

/* All that an image needs to get that name, and that may take long. */
static int prepare(struct image *image, const struct tag_ref *to,
    bool referrers, struct err *err)
{
	int r = image_bring(image, to, err);

	return r < 0 ? r : bring_referrers(image, to, referrers, err);
}

static int put(struct image *image, const struct tag_ref *to, struct err *err)
{
	int r = image_put_tag(image, to, err);

	return r < 0 ? err_wrap(err, "%s:%s", to->repository, to->tag) : 0;
}

static void put_back(struct image *image, const struct tag_ref *name)
{
	struct err err = ERR_INIT;

	if (image && put(image, name, &err) < 0)
		log_error("cannot restore the image that had the name: %s",
		    err.msg);
}

/* Whether the tag names the image: 1, 0, or an error. */
static int names(const struct tag_ref *name, const struct image *image,
    struct err *err)
{
	struct digest now;
	int r = source_manifest_look(images_source(name->images),
	    name->repository, name->tag, &now, err);

	return r == 1 ? digest_equal(&now, &image->digest) : r;
}

/* A registry may take a manifest and not keep it: a mirror does, or a gateway
 * that answers for the registry. */
static int check_kept(const struct tag_ref *name, const struct image *image,
    struct err *err)
{
	int r = names(name, image, err);

	if (r < 0)
		return err_wrap(err, "%s:%s", name->repository, name->tag);
	return r == 1 ? 0
		      : err_set(err, EIO,
			    "%s:%s: the %s answered that it took the image, "
			    "and does not have it under that name",
			    name->repository, name->tag,
			    source_kind(images_source(name->images)));
}

/* Puts what is to lose its other name. */
static int put_and_check(struct image *image, const struct tag_ref *to,
    struct err *err)
{
	int r = put(image, to, err);

	return r < 0 ? r : check_kept(to, image, err);
}

/* Removes the old name of what has the new one. An answer that got lost is no
 * failure: what counts is whether the name is still there. */
static int remove_old(struct tag_pair *pair, const struct tag_ref *from,
    struct err *err)
{
	int r = names(from, pair->first, err);

	if (r == 0)
		return err_set(err, EBUSY,
		    "another client moved or removed %s:%s meanwhile",
		    from->repository, from->tag);
	if (r == 1)
		r = untag(from->images, from->repository, from->tag, err);
	return r < 0 && names(from, pair->first, ERR_IGNORE) == 0 ? 0 : r;
}

/*
 * The new name may have gone with the old one. Two sources can be one: a
 * registry under two of its names (localhost:5000 and 127.0.0.1:5000), or a
 * layout and a tree that it is in. Or another client moves the tag back, and
 * removes the name that was to stay: who removes last puts it back.
 */
static int check_new(struct tag_pair *pair, const struct tag_ref *from,
    const struct tag_ref *to, struct err *err)
{
	int r;

	if (names(to, pair->first, ERR_IGNORE) != 0)
		return 0;
	r = put(pair->first, to, err);
	if (r < 0 || from->images == to->images ||
	    names(from, pair->first, ERR_IGNORE) != 1)
		return r;
	return err_set(err, EBUSY,
	    "%s and %s are one registry: %s:%s is what it was",
	    source_name(images_source(from->images)),
	    source_name(images_source(to->images)), to->repository, to->tag);
}

static int move(void *arg, struct err *err)
{
	struct tag_pair *pair = arg;
	const struct tag_ref *from = &pair->names[0], *to = &pair->names[1];
	int r = put_and_check(pair->first, to, err);

	if (r == 0) {
		r = remove_old(pair, from, err);
		if (r == 0)
			return check_new(pair, from, to, err);
		if (r < 0 && !pair->second)
			err_wrap(err, "%s:%s was created, and stays",
			    to->repository, to->tag);
	}
	/* Unless the new name may be the only one. */
	if (r < 0 && names(from, pair->first, ERR_IGNORE) == 1)
		put_back(pair->second, to);
	return r;
}

int tag_move(const struct tag_ref *from, const struct tag_ref *to,
    bool referrers, struct err *err)
{
	CLEANUP(pair_free_p) struct tag_pair *pair = NULL;
	int r = untag_check(from->images, from->repository, err);

	if (r == 0)
		r = pair_begin(from, to, &pair, err);
	if (r == 0)
		r = prepare(pair->first, to, referrers, err);
	return r < 0 ? r : complete(steal(&pair), move, err);
}

static int exchange(void *arg, struct err *err)
{
	struct tag_pair *pair = arg;
	const struct tag_ref *a = &pair->names[0], *b = &pair->names[1];
	int r = put_and_check(pair->first, b, err);

	if (r == 0)
		r = put_and_check(pair->second, a, err);
	if (r < 0) {
		put_back(pair->first, a);
		put_back(pair->second, b);
	}
	return r;
}

int tag_exchange(const struct tag_ref *a, const struct tag_ref *b,
    bool referrers, struct err *err)
{
	CLEANUP(pair_free_p) struct tag_pair *pair = NULL;
	int r = pair_begin(a, b, &pair, err);

	if (r == 0 && !pair->second)
		r = err_set(err, ENOENT, "%s:%s: no such tag", b->repository,
		    b->tag);
	if (r == 0)
		r = prepare(pair->first, b, referrers, err);
	if (r == 0)
		r = prepare(pair->second, a, referrers, err);
	return r < 0 ? r : complete(steal(&pair), exchange, err);
}
