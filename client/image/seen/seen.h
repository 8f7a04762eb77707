/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source was last seen to have, kept in the store over mounts: its list
 * of repositories, the lists of tags, and what tags named. It is for a source
 * that cannot be asked.
 */
#ifndef IMAGE_SEEN_H
#define IMAGE_SEEN_H

#include <time.h>

#include "base/err.h"
#include "image/names.h"
#include "oci/digest.h"
#include "store/store.h"

/* Of a source; both are borrowed. */
struct seen {
	struct store *store;
	const char *source; /* its name */
};

/* The list of a repository's tags, or ("") of all repositories, is this now.
 * What cannot be kept is not, without an error; as with the next. */
void seen_put_list(const struct seen *seen, const char *repository,
    const struct names *names);

/* A tag names this now; NULL: it names nothing. */
void seen_put_tag(const struct seen *seen, const char *repository,
    const char *tag, const struct digest *digest);

/* The list that was put last: 1 with *out, and when that was (seconds since
 * 1970); or 0. */
int seen_list(const struct seen *seen, const char *repository,
    struct names **out, time_t *at, struct err *err);

/* Calls each() for the tags of a repository that were put, in that order: the
 * last one of a tag counts. digest: NULL where it named nothing. */
typedef void seen_tag_fn(void *arg, const char *tag,
    const struct digest *digest, time_t at);
void seen_tags(const struct seen *seen, const char *repository,
    seen_tag_fn *each, void *arg);

#endif
