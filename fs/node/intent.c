/* SPDX-License-Identifier: Apache-2.0 */
/* What files become. */
#include "intent.h"

#include <errno.h>

#include "mount.h"
#include "view.h"

const struct write_kind *intent_kind(const struct write_intent *intent)
{
	return intent->source->mount->write_kinds[intent->effect];
}

int write_intent(struct node *dir, const char *name, struct write_intent *out,
    struct err *err)
{
	struct write_place place = {0};
	int r;

	*out = (struct write_intent){.source = dir->source};
	if (!dir->view->write_place)
		return err_set(err, EPERM,
		    "no file can be written in this directory");
	r = dir->view->write_place(dir, name, &place, err);
	return r < 0 ? r : intent_of_name(&place, name, out, err);
}

int write_intent_of_tree(struct node *dir, const char *name,
    struct write_intent *out, struct err *err)
{
	struct write_place place = {0};
	int r;

	*out = (struct write_intent){.source = dir->source};
	if (!dir->view->write_place)
		return err_set(err, EPERM, "an image cannot have this name");
	r = dir->view->write_place(dir, name, &place, err);
	return r < 0 ? r : intent_of_tree(&place, name, out, err);
}
