/* SPDX-License-Identifier: Apache-2.0 */
/* What files become. */
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

const struct upload_kind upload_archive = {.is_archive = true};

void target_release(struct upload_target *target)
{
	free(target->repository);
	free(target->tag);
	free(target->detail);
	*target = (struct upload_target){0};
}

int target_set(struct upload_target *out, struct mount_source *source,
    const struct upload_kind *kind, const char *repository, const char *tag,
    const char *detail, struct err *err)
{
	*out = (struct upload_target){.source = source,
	    .kind = kind,
	    .repository = repository ? strdup(repository) : NULL,
	    .tag = tag ? strdup(tag) : NULL,
	    .detail = detail ? strdup(detail) : NULL};
	if ((!repository || out->repository) && (!tag || out->tag) &&
	    (!detail || out->detail))
		return 0;
	target_release(out);
	return err_nomem(err);
}

int target_copy(const struct upload_target *from, struct upload_target *out,
    struct err *err)
{
	int r = target_set(out, from->source, from->kind, from->repository,
	    from->tag, from->detail, err);

	out->in_image = from->in_image;
	return r;
}

int target_find(struct node *dir, const char *name, struct upload_target *out,
    struct err *err)
{
	*out = (struct upload_target){.source = dir->source};
	if (!dir->view->target)
		return err_set(err, EPERM,
		    "%s: no file can be written in this directory", name);
	return dir->view->target(dir, name, out, err);
}
