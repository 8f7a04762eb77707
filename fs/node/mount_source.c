/* SPDX-License-Identifier: Apache-2.0 */
/* Names of repositories among those of all sources. */
#include "mount_source.h"

#include <errno.h>
#include <string.h>

#include "base/strf.h"
#include "mount.h"

void mount_source_add(struct mount_source *source)
{
	source->next = mount_source_first(source->mount);
	atomic_store(&source->mount->sources, source);
}

struct mount_source *mount_source_first(const struct mount *mount)
{
	return atomic_load(&mount->sources);
}

struct mount_source *mount_source_find(const struct mount *mount,
    const char *name)
{
	struct mount_source *source = mount_source_first(mount);

	while (source && strcmp(source->name, name) != 0)
		source = source->next;
	return source;
}

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
