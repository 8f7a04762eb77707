/* SPDX-License-Identifier: Apache-2.0 */
/* Names of repositories among those of all sources. */
#include "mount_source.h"

#include <errno.h>
#include <string.h>

#include "base/strf.h"

char *source_unique_name(const struct mount_source *source,
    const char *repository)
{
	return strf("%s%s%s", source->name,
	    *source->name && *repository ? "/" : "", repository);
}

char *source_path(const struct mount_source *source, const char *repository)
{
	size_t base = strlen(source->base);

	if (base)
		repository += repository[base] ? base + 1 : base;
	return source_unique_name(source, repository);
}

int source_check_image(const struct mount_source *source,
    const struct image *image, struct err *err)
{
	if (image->images == source->images)
		return 0;
	return err_set(err, EXDEV, "the image is of another registry: copy it");
}
