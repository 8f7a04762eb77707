/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags that get another name, or change places. A registry has no such thing:
 * it is done by puts and deletes, of what the tags name at that moment, and
 * whatever fails on the way leaves each image with a tag. Changes of the same
 * tags by this mount wait (image/change.h).
 */
#ifndef IMAGE_RETAG_H
#define IMAGE_RETAG_H

#include <stdbool.h>

#include "base/err.h"
#include "image/images.h"

/*
 * Gives an image a name, in its repository or in another one, of its source or
 * of another one, where with `referrers` what refers to it goes first. As
 * image_copy().
 */
int tag_copy(struct image *image, const struct tag_ref *to, bool referrers,
    struct err *err);

/*
 * Moves a tag, onto another one maybe, which it replaces, and to another source
 * as well. For a moment there are both names; where the old one cannot be
 * removed there still are, but that what was replaced is put back. Once the
 * first of its steps has begun, an interrupt gives -EINTR, and the others
 * follow. -ENOENT; -EBUSY where somebody else moves it meanwhile, or where the
 * two sources are one registry and the tag is the same; errors as image_copy()
 * and untag().
 */
int tag_move(const struct tag_ref *from, const struct tag_ref *to,
    bool referrers, struct err *err);

/* Two tags: each becomes what the other was, one after the other. Interrupts as
 * tag_move(). */
int tag_exchange(const struct tag_ref *a, const struct tag_ref *b,
    bool referrers, struct err *err);

#endif
