/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is being written gets another name, which can push it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

void renaming_release(struct renaming *renaming)
{
	written_dir_put(renaming->dir);
	free(renaming->name);
	intent_release(&renaming->intent);
}

int renaming_init(struct renaming *renaming, struct node *dir, const char *name,
    struct err *err)
{
	renaming->dir = written_dir_of(dir, err);
	if (!renaming->dir)
		return -err->code;
	renaming->name = strdup(name);
	if (!renaming->name)
		return err_nomem(err);
	return write_intent(dir, name, &renaming->intent, err);
}

static void swap_names(struct upload *upload, struct renaming *renaming)
{
	struct renaming was = {upload->dir, upload->name, upload->intent};

	upload->dir = renaming->dir;
	upload->name = renaming->name;
	upload->intent = renaming->intent;
	*renaming = was;
}

/*
 * The bytes stay under the old name, and as .TAG.failed where they would have
 * gone: programs that rename remove the old name when that fails. Called with
 * the new names in the upload.
 */
static void move_failed(struct upload *upload, struct renaming *renaming,
    const struct err *why)
{
	push_give_up(steal(&upload->push), why);
	upload_keep_failed(upload);
	swap_names(upload, renaming);
	upload_become(upload, upload_first_state(upload), why);
}

/*
 * Moves the upload to its new name and, if that pushes, pushes it: what it was
 * before is restored when that fails, because a program that renames then
 * removes the old name. Between begin and end.
 */
int upload_move(struct upload *upload, struct renaming *renaming,
    struct err *err)
{
	bool moved = upload->dir != renaming->dir;
	int r = 0;

	if (upload->source && upload->copied < save_size(upload->source))
		r = upload_copy_spool(upload, err);
	if (r < 0)
		return r;
	upload_restart(upload);
	swap_names(upload, renaming);
	upload->temporary = false;
	upload_settle_kind(upload, moved);
	upload_become(upload, upload_first_state(upload), NULL);
	if (upload->intent.effect != WRITE_NOTHING && upload_size(upload))
		r = upload_complete(upload, true, err);
	if (r < 0) {
		move_failed(upload, renaming, err);
		return r;
	}
	uploads_remove_all(upload);
	if (r == 0)
		return uploads_insert(upload->dir, upload->name, upload, err);
	upload_become(upload, FILE_DONE, NULL);
	uploads_remember_pushed(upload);
	upload_drop_unreachable(upload);
	return 0;
}
