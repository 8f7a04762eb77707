/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of what refers to images: kept for a while, as lists are. */
#ifndef IMAGE_REFERRERS_STATE_H
#define IMAGE_REFERRERS_STATE_H

#include <stdatomic.h>

#include "base/map.h"
#include "base/task.h"
#include "image/referrers.h"

struct referrers_state {
	/* Whether the registry lists them; once it has said so it stays so. */
	_Atomic enum { API_UNKNOWN, API_PRESENT, API_ABSENT } api;
	struct monitor monitor;
	struct map kept; /* in the monitor: "REPOSITORY@DIGEST" → lists */
};

struct referrers_state *referrers_state_new(struct err *err);
void referrers_state_free(struct referrers_state *state);

DEFINE_CLEANUP(struct referrers_state *, referrers_state_free);

/*
 * The list of what refers to a manifest: 1 with it in *out where it is younger
 * than ttl seconds; 0 where the caller is to load it, and to pass *loading and
 * what it loaded (NULL if that failed) to referrers_kept_end(); -EINTR or
 * -ENOMEM. One thread loads a list while others wait.
 */
struct referrers_kept;
int referrers_kept_begin(struct referrers_state *state, const char *repository,
    const struct digest *subject, unsigned ttl, struct referrers **out,
    struct referrers_kept **loading, struct err *err);
void referrers_kept_end(struct referrers_state *state,
    struct referrers_kept *kept, struct referrers *list);

/* The list is loaded before it is used again. */
void referrers_kept_changed(struct referrers_state *state,
    const char *repository, const struct digest *subject);

/* The same for a manifest in a repository of `images`. */
void referrers_changed(struct images *images, const char *repository,
    const struct digest *subject);

/* Asks the registry for its list: 0, or -EOPNOTSUPP where there is none, which
 * it asks only once where the registry itself says so. */
int referrers_ask(struct images *images, const char *repository,
    const struct digest *subject, source_referrer_fn *each, void *arg,
    struct err *err);

/* The tags among which there may be some that refer to images; *out is NULL
 * where the registry does not say which there are. */
int referrers_among_tags(const struct image *image, struct names **out,
    struct err *err);

/* The tag under which clients list what refers to a digest. */
enum { REFERRERS_TAG_SIZE = 7 + 64 + 1 };
const char *referrers_tag(const struct digest *subject,
    char out[REFERRERS_TAG_SIZE]);

/* What cosign keeps under that tag and an ending, and has no subject (cosign's
 * SIGNATURE_SPEC, SBOM_SPEC). */
enum { COSIGN_TAGS = 3, COSIGN_TAG_SIZE = REFERRERS_TAG_SIZE + 8 };
extern const struct cosign_tag {
	const char *ending;
	const char *artifact_type; /* that says the same */
} cosign_tags[COSIGN_TAGS];

const char *cosign_tag(const struct digest *subject,
    const struct cosign_tag *kind, char out[COSIGN_TAG_SIZE]);

/* Calls each for what the tag lists; nothing if there is no such tag, or if it
 * names something else. */
int referrers_tag_read(struct images *images, const char *repository,
    const struct digest *subject, source_referrer_fn *each, void *arg,
    struct err *err);

/* Puts one more on that list. */
int referrers_tag_add(struct images *images, const char *repository,
    const struct digest *subject, const struct descriptor *referrer,
    struct err *err);

/* Takes one off, if there is a list. */
int referrers_tag_remove(struct images *images, const char *repository,
    const struct digest *subject, const struct digest *referrer,
    struct err *err);

/* A list being made: entries are copied, each digest once. */
struct referrers_builder;

struct referrers_builder *referrers_builder_new(struct err *err);
void referrers_builder_free(struct referrers_builder *builder);

DEFINE_CLEANUP(struct referrers_builder *, referrers_builder_free);

/* A source_referrer_fn whose arg is the builder. */
int referrers_builder_add(void *builder, const struct descriptor *referrer,
    struct err *err);

/* Takes the builder. */
struct referrers *referrers_builder_take(struct referrers_builder *builder);

#endif
