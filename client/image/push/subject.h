/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests that refer to another one. */
#ifndef IMAGE_SUBJECT_H
#define IMAGE_SUBJECT_H

#include <stdbool.h>

#include "archive/contents.h"
#include "image/push.h"

/*
 * A manifest has been put. If it refers to another one, this sees to it that
 * the list of what does so has it; says_so: the registry has said that it keeps
 * that list. manifest->manifest may be NULL.
 */
int subject_put(const struct tag_ref *target,
    const struct archive_manifest *manifest, bool says_so, struct err *err);

#endif
