/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is being written gets another name, which can push it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "written.h"

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

static void swap_names(struct written_file *file, struct renaming *renaming)
{
	struct renaming was = {file->dir, file->name, file->intent};

	SCOPED_LOCK(&file->mount->written->lock);
	file->dir = renaming->dir;
	file->name = renaming->name;
	file->intent = renaming->intent;
	*renaming = was;
}

/*
 * The bytes stay under the old name, and as .TAG.failed where they would have
 * gone: programs that rename remove the old name when that fails. Called with
 * the new names in the file.
 */
static void move_failed(struct written_file *file, struct renaming *renaming,
    const struct err *why)
{
	push_give_up(steal(&file->push), why);
	written_file_keep_failed(file);
	swap_names(file, renaming);
	written_file_become(file, written_file_first_state(file), why);
}

/*
 * Moves the file to its new name and, if that pushes, pushes it: what it was
 * before is restored when that fails, because a program that renames then
 * removes the old name. Between begin and end.
 */
int written_file_move(struct written_file *file, struct renaming *renaming,
    struct err *err)
{
	bool moved = file->dir != renaming->dir;
	int r = 0;

	if (file->source && file->copied < save_size(file->source))
		r = written_file_copy_spool(file, err);
	if (r < 0)
		return r;
	written_file_restart(file);
	swap_names(file, renaming);
	file->temporary = false;
	written_file_settle_kind(file, moved);
	written_file_become(file, written_file_first_state(file), NULL);
	if (file->intent.effect != WRITE_NOTHING && written_file_size(file))
		r = written_file_complete(file, true, err);
	if (r < 0) {
		move_failed(file, renaming, err);
		return r;
	}
	written_names_take_all(file);
	if (r == 0)
		return written_names_insert(file->dir, file->name, file, err);
	written_file_become(file, FILE_DONE, NULL);
	written_names_remember(file);
	written_file_drop_unreachable(file);
	return 0;
}
