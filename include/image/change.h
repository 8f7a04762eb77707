/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images changed under their tag: each of these puts one new manifest, when all
 * that it names is there, or changes nothing. Of an index it is the image of
 * the mount's platform that is changed, and the index then names it in place of
 * the one before.
 *
 * The registry is asked what the tag names now, and changes of one tag by this
 * mount come one after the other. -ENOENT: there is no such tag; -EINVAL with a
 * sentence for what an image cannot be made of; else as source_manifest_put()
 * and source_blob_put().
 */
#ifndef IMAGE_CHANGE_H
#define IMAGE_CHANGE_H

#include <stdbool.h>

#include "base/err.h"
#include "image/images.h"
#include "image/push.h"
#include "image/spool.h"

/* One more layer: a tar, plain or compressed. `name` is what its
 * history says that it comes from. -EINVAL also where it has not ended. */
int change_add_layer(const struct tag_ref *target, struct spool *spool,
    const char *name, struct err *err);

/* The same on top of another image, an index's platform: what comes out goes
 * under the target's tag, which need not exist. */
int image_add_layer(struct image *base, const struct tag_ref *target,
    struct spool *spool, const char *name, struct err *err);

/* Another config, of the same layers. */
int change_config(const struct tag_ref *target, const void *data, size_t len,
    struct err *err);

/* A manifest as it stands: that of the platform's image, or is_top: that of the
 * tag itself. */
int change_manifest(const struct tag_ref *target, const void *data, size_t len,
    bool is_top, struct err *err);

/* An annotation of the tag's manifest or index; value NULL: without it. */
int change_annotation(const struct tag_ref *target, const char *name,
    const char *value, struct err *err);

/* Adds an image of the repository to the tag's index, or puts it in place of
 * the one of its platform there; a tag of one image becomes an index of two.
 * Its config has to say that platform; NULL: the one that it says. */
int change_platform(const struct tag_ref *target, const struct digest *digest,
    const struct platform *platform, struct err *err);

#endif
