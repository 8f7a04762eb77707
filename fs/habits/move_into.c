/* SPDX-License-Identifier: Apache-2.0 */
/* mv into the directory of an image. */
#include "move_into.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attempt.h"

int move_into_check(const struct node *dir, const char *name,
    const char *to_name, unsigned flags, struct err *err)
{
	if (dir->kind != NODE_IMAGE)
		return 0;
	if (strcmp(name, to_name) != 0)
		return err_set(err, EPERM,
		    "%s: part of an image; nothing can be moved there",
		    to_name);
	if (!(flags & RENAME_NOREPLACE)) {
		attempt_forget(dir, name, ATTEMPT_MOVE_INTO);
		return 0;
	}
	attempt_note(dir, name, ATTEMPT_MOVE_INTO);
	return err_set(err, EEXIST, "%s: already exists, as an image", name);
}

bool move_into_is_tried(const struct node *dir, const char *name)
{
	return attempt_is_noted(dir, name, ATTEMPT_MOVE_INTO);
}
