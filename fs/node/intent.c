/* SPDX-License-Identifier: Apache-2.0 */
/* What files become. */
#include "intent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

const struct write_kind write_archive = {.is_archive = true};

void intent_release(struct write_intent *intent)
{
	free(intent->repository);
	free(intent->tag);
	free(intent->detail);
	*intent = (struct write_intent){0};
}

int intent_set(struct write_intent *out, struct mount_source *source,
    const struct write_kind *kind, const char *repository, const char *tag,
    const char *detail, struct err *err)
{
	*out = (struct write_intent){.source = source,
	    .kind = kind,
	    .repository = repository ? strdup(repository) : NULL,
	    .tag = tag ? strdup(tag) : NULL,
	    .detail = detail ? strdup(detail) : NULL};
	if ((!repository || out->repository) && (!tag || out->tag) &&
	    (!detail || out->detail))
		return 0;
	intent_release(out);
	return err_nomem(err);
}

int intent_copy(const struct write_intent *from, struct write_intent *out,
    struct err *err)
{
	int r = intent_set(out, from->source, from->kind, from->repository,
	    from->tag, from->detail, err);

	out->in_image = from->in_image;
	return r;
}

int write_intent(struct node *dir, const char *name, struct write_intent *out,
    struct err *err)
{
	*out = (struct write_intent){.source = dir->source};
	if (!dir->view->intent)
		return err_set(err, EPERM,
		    "%s: no file can be written in this directory", name);
	return dir->view->intent(dir, name, out, err);
}
