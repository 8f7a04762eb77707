/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images of one source: names resolved, manifests and configs read
 * through the store, lists kept for a while. Everything named by digest is kept
 * for good; what a tag names, and what lists say, for tag_ttl. The images of
 * several sources share what is of no source: the store, the layers in use, the
 * journal and the list of pushes.
 *
 * Usable from any thread.
 */
#ifndef IMAGE_IMAGES_H
#define IMAGE_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/completer.h"
#include "base/err.h"
#include "base/pool.h"
#include "image/journal.h"
#include "image/names.h"
#include "image/pushes.h"
#include "image/shared.h"
#include "layer/layer.h"
#include "layer/writer.h"
#include "oci/config.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "source/source.h"
#include "store/store.h"

struct images;
struct push_progress;

enum { EPOCH_NONE = -1 };

struct images_options {
	struct platform platform; /* what an index is read as */
	unsigned tag_ttl;         /* seconds */
	/* A registry that is away is a failure: no tag and no list is shown as
	 * it was last seen. */
	bool no_stale;
	struct layer_format format; /* of what a push compresses */
	/* The time of images that are made here, and the latest of the files
	 * in them: seconds since 1970; EPOCH_NONE: the present. */
	int64_t epoch;
};

/* source and shared are borrowed and outlive it. */
int images_new(struct source *source, struct images_shared *shared,
    const struct images_options *options, struct images **out, struct err *err);
void images_free(struct images *images);

DEFINE_CLEANUP(struct images *, images_free);

/* What images was made with and of; borrowed, as long as it lives. */
struct source *images_source(struct images *images);
struct store *images_store(struct images *images);
struct layer_table *images_layers(struct images *images);
/* At blobs that are sent ("REPOSITORY@DIGEST"), and at tags that are changed
 * ("REPOSITORY:TAG"). */
struct turns *images_turns(struct images *images);
struct referrers_state *images_referrers(struct images *images);
struct pushes *images_pushes(struct images *images); /* under way */
/* What pushes come to, and tags that are not what they were known to be: each
 * call below that makes or sees such a change notes it there. */
struct journal *images_journal(struct images *images);
struct pool *images_ahead(struct images *images); /* fetches what comes next */
/* Of changes in several steps. */
struct completer *images_completer(struct images *images);
const struct images_options *images_options(const struct images *images);

/*
 * All repositories that are known: what the registry lists, if it does, and
 * what has been found by name. Not older than tag_ttl, but as it was last seen
 * where the registry is away: nobody answers, or a gateway does with 500, 502,
 * 503 or 504, or it puts us off with 429. To be given back with names_put().
 */
int images_catalog(struct images *images, struct names **out, struct err *err);

/* Whether that failure is about the list alone: it is not for our credentials,
 * or what was answered is no list. What is below a name can be asked for all
 * the same. */
bool images_only_listing_failed(int r, const struct err *err);

/* The same as far as it is known without a request; NULL if nothing is. */
struct names *images_catalog_cached(struct images *images);

/* The repository has no tags any more: it is not listed until it has some,
 * though the registry may go on listing it. */
void images_forget(struct images *images, const char *repository);

/*
 * Adds to the catalog what the registry lists below a namespace, where it does
 * not list all of its repositories. Not older than tag_ttl. 1: what is below it
 * is known now; 0: the registry cannot be asked so, or has been asked for all.
 */
int images_below(struct images *images, const char *prefix, struct err *err);

/* Whether the registry lists all of its repositories; true while it was not
 * asked. */
bool images_listable(struct images *images);

/* Whether it has more than it lists, and gets that from another registry: it is
 * asked about the repository, which it neither lists nor has, once. */
bool images_pulls_through(struct images *images, const char *repository);

/* Whether the repository has answered to its name before. */
bool images_found(struct images *images, const char *repository);

/* Whether it was forgotten (images_forget()), and has not been found since. */
bool images_gone(struct images *images, const char *repository);

/* The tags of a repository, as images_catalog(); -ENOENT if there is no such
 * repository. */
int images_tags(struct images *images, const char *repository,
    struct names **out, struct err *err);

/* Asks for the tags now, however young the list is that there is; what is new
 * is noted in the journal with what it names, for at most *requests tags, of
 * which and of the list the number is taken off. Errors as images_tags(). */
int images_look_tags(struct images *images, const char *repository,
    unsigned *requests, struct err *err);

/* The same of what a tag names. hinted: somebody has told that it is another,
 * so that one of which nothing was known is noted. -ENOENT. */
int images_look_tag(struct images *images, const char *repository,
    const char *tag, bool hinted, struct err *err);

/* The repositories that have answered to their names here, and tags
 * ("REPOSITORY:TAG") that were looked at and are there. */
int images_used(struct images *images, struct names **repositories,
    struct names **tags, struct err *err);

/* Whether the registry itself says, when it is asked for the tags, that it has
 * no such repository. Others may have it, and not list its tags. */
bool images_denied(struct images *images, const char *repository);

/* The same as far as it is known without a request; NULL if it is not. */
struct names *images_tags_cached(struct images *images, const char *repository);

/* The digest that a tag names now, or did at most tag_ttl ago, or was last seen
 * to name where the registry is away; of a digest's text that digest, if the
 * repository has it, or if the manifest is kept and the registry away. -ENOENT.
 */
int images_resolve(struct images *images, const char *repository,
    const char *tag, struct digest *out, struct err *err);

/* Whether it is away, by the last request. Asks nothing. */
bool images_away(struct images *images);

/* Whether the registry is away, and had no such tag when it was last seen. */
bool images_was_absent(struct images *images, const char *repository,
    const char *tag);

/* When the registry said last what the tag names, or which tags there are (tag:
 * NULL), or which repositories (repository: ""), in seconds since 1970, where
 * that is older than tag_ttl since it is away; else 0. */
time_t images_stale(struct images *images, const char *repository,
    const char *tag);

/* For how many seconds it may still be believed that the tag is there; 0 where
 * the registry has to be asked. */
unsigned images_tag_left(struct images *images, const char *repository,
    const char *tag);

/*
 * When the tag began to name what it names, as far as is known: the time
 * (seconds since 1970) at which a change of it was made or seen here, or at
 * which the last such note was dropped; 0: it has not changed since
 * images_new().
 */
time_t images_tag_since(struct images *images, const char *repository,
    const char *tag);

/* A tag has been put (digest) or is gone (NULL): what is kept of it changes. */
void images_tag_changed(struct images *images, const char *repository,
    const char *tag, const struct digest *digest);

/* A tag, as what puts or changes it is told of it; strings are borrowed. */
struct tag_ref {
	struct images *images;
	const char *repository;
	const char *tag;
	/* Nothing is put under the tag, but by digest only: the tag just says
	 * which image of several is meant. */
	bool untagged;
	struct push_progress *progress; /* a push's own; NULL */
};

/* A manifest with its bytes; immutable, counted. */
struct image {
	struct images *images;
	char *repository;
	struct digest digest;
	char *data; /* the manifest as stored, len bytes */
	size_t len;
	struct manifest *manifest;
	struct image_lazy *lazy; /* what is read when it is asked for */
};

/* A manifest by its digest, from the store or the registry. -ENOENT. */
int image_open(struct images *images, const char *repository,
    const struct digest *digest, struct image **out, struct err *err);
/* The same of one that a manifest or a list names: -ENOLINK, with a sentence
 * that says so, where the registry does not have it. */
int image_open_named(struct images *images, const char *repository,
    const struct digest *digest, struct image **out, struct err *err);
/*
 * The same of the one that a tag named when images_resolve() said so. Where the
 * registry does not have that, the tag is asked for once more: -ENOENT if it is
 * gone, -ENOLINK if it names it still; what it names now is opened else.
 */
int image_open_resolved(struct images *images, const char *repository,
    const char *tag, const struct digest *digest, struct image **out,
    struct err *err);
/* The one that a tag names: both of these. */
int image_open_tag(struct images *images, const char *repository,
    const char *tag, struct image **out, struct err *err);
/* The same, asked for now: what is known may be tag_ttl old. */
int image_open_tag_now(struct images *images, const char *repository,
    const char *tag, struct image **out, struct err *err);
struct image *image_get(struct image *image);
void image_put(struct image *image);

DEFINE_CLEANUP(struct image *, image_put);

/* What any client calls the image: in full, by its tag, or where that is NULL
 * by its digest. -ENAMETOOLONG. */
int image_reference(const struct image *image, const char *tag,
    struct reference *out, struct err *err);

/*
 * For an index the image that serves the options' platform best, through nested
 * indexes; for anything else the image itself. -ENOENT where the index has
 * nothing for any platform; -ENOLINK as image_open_named().
 */
int image_platform(struct image *image, struct image **out, struct err *err);

/*
 * The config, read at the first call and then kept: parsed, or NULL in *out for
 * an artifact, which has no config of an image. Lives as long as the image,
 * whose layers are remembered with it (image/layers.h).
 */
int image_config(struct image *image, const struct config **out,
    struct err *err);

/* Appends the config's bytes to out; -EFBIG past its limit. */
int image_config_bytes(struct image *image, struct buf *out, struct err *err);

/* Whether the registry is to have a blob that the image's manifest names: 1, or
 * 0 where it need not, a foreign layer, and has not. */
int image_has_blob(const struct image *image,
    const struct descriptor *descriptor, struct err *err);

/* Opens a blob that the image's manifest names. To read one that the registry
 * does not have is -ENOLINK, with a sentence that says so. */
int image_blob(struct image *image, const struct descriptor *descriptor,
    struct blob **out, struct err *err);

#endif
