/* SPDX-License-Identifier: Apache-2.0 */
/* A tag that is being changed. */
#ifndef IMAGE_CHANGING_H
#define IMAGE_CHANGING_H

#include "image/images.h"
#include "image/push.h"

/* One changes a tag at a time; who takes two takes them in the order of their
 * names. *lock goes to tag_unlock(), which NULL does nothing to. -EINTR. */
int tag_lock(struct images *images, const char *repository, const char *tag,
    char **lock, struct err *err);
void tag_unlock(struct images *images, char *lock);

/* What a tag names, while it is this thread's to change. */
struct changing {
	const struct tag_ref *target; /* for the caller to set */
	char *lock;
	struct image *top;
	struct image *shown; /* the platform's; may be the same */
};

/* Waits for those who change it, and opens what it names. */
int changing_begin(struct changing *changing, struct err *err);

/* And the platform's image of it, which has to be an image. */
int changing_begin_image(struct changing *changing, struct err *err);

/* Also after a failure to begin. */
void changing_end(struct changing *changing);

/* Puts a manifest under the target's tag, unless it is untagged. */
int changing_put_bytes(const struct tag_ref *target, const void *data,
    size_t len, const char *media_type, struct digest *out, struct err *err);

/* Puts a new manifest in the place of the platform's image: under the tag, or
 * by its digest, and the index that then names it. *tag: what the tag names
 * now. */
int changing_put_image(const struct changing *changing, const void *data,
    size_t len, const char *media_type, struct digest *tag, struct err *err);

#endif
