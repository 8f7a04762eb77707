/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the images of an archive is meant. */
#ifndef ARCHIVE_CHOICE_H
#define ARCHIVE_CHOICE_H

#include <stddef.h>

#include "archive/contents.h"
#include "base/err.h"
#include "oci/layout.h"

struct choice {
	const char *id; /* the same for one image under several names */
	const struct image_name *names;
	size_t name_count;
};

/*
 * The index of the image with that tag, or of any where there is but one. Where
 * several have the tag, it is the one that is called as the repository is, or
 * else one whose name ends as that does. -EINVAL with a sentence that names
 * them.
 */
int choice_make(const struct choice *choices, size_t count,
    const struct archive_wanted *wanted, size_t *out, struct err *err);

#endif
