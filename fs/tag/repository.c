/* SPDX-License-Identifier: Apache-2.0 */
/* Names of repositories in directories. */
#include "repository.h"

#include "base/strf.h"
#include "node/mount.h"

char *repo_path(const char *dir, const char *name)
{
	return *dir ? strf("%s/%s", dir, name) : strf("%s", name);
}

bool repo_listed(struct mount_source *source, const char *repository)
{
	CLEANUP(names_put_p)
	struct names *catalog = images_catalog_cached(source->images);

	return catalog && (names_has(catalog, repository) ||
			      names_has_below(catalog, repository));
}

bool repo_appeared(struct mount_source *source, const char *repository)
{
	CLEANUP(names_put_p) struct names *tags = NULL;
	CLEANUP(names_put_p) struct names *catalog = NULL;

	if (images_tags(source->images, repository, &tags, ERR_IGNORE) == 0)
		return true;
	return images_catalog(source->images, &catalog, ERR_IGNORE) == 0 &&
	       repo_listed(source, repository);
}

bool repo_has_below(struct mount_source *source, const char *repository)
{
	CLEANUP(names_put_p)
	struct names *catalog = images_catalog_cached(source->images);

	return catalog && names_has_below(catalog, repository);
}

bool repo_is_namespace(struct mount_source *source, const char *repository)
{
	CLEANUP(names_put_p)
	struct names *catalog = images_catalog_cached(source->images);

	return catalog && names_has_below(catalog, repository) &&
	       !names_has(catalog, repository) &&
	       !images_found(source->images, repository);
}
