/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing a tag, and no other tag of the same manifest.
 *
 * Registries that delete by tag are asked to. docker-registry up to 2.8 deletes
 * by digest only, which takes all tags of a manifest along: there the tag is
 * first moved to a manifest that nothing else names, which is then deleted with
 * it. Whether the registry deletes at all is found out on a manifest of no tag
 * before the tag is touched, and where the last step fails all the same, the
 * tag is put back.
 */
#ifndef IMAGE_UNTAG_H
#define IMAGE_UNTAG_H

#include "base/err.h"
#include "image/images.h"

/*
 * Whether tags of the repository can be removed, as far as that can be known
 * without removing one. -EPERM with a sentence where deletes are switched off;
 * -EACCES.
 */
int untag_check(struct images *images, const char *repository, struct err *err);

/* Removes it: the tag is gone by the registry's word when this returns 0.
 * -ENOENT; errors as untag_check() and source_manifest_remove(). */
int untag(struct images *images, const char *repository, const char *tag,
    struct err *err);

#endif
