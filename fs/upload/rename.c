/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is being written gets another name, which can push it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* A new name, and what a file of that name becomes. */
struct renaming {
	struct written_dir *dir; /* counted */
	char *name;
	struct write_intent intent;
};

static void renaming_release(struct renaming *renaming)
{
	written_dir_put(renaming->dir);
	free(renaming->name);
	intent_release(&renaming->intent);
}

static int renaming_init(struct renaming *renaming, struct node *dir,
    const char *name, struct err *err)
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
static void rename_failed(struct upload *upload, const struct err *why)
{
	upload_restart(upload);
	upload_become(upload, UPLOAD_OPEN, why);
	upload_keep_failed(upload);
}

/*
 * Moves the upload to its new name and, if that pushes, pushes it: what it was
 * before is restored when that fails, because a program that renames then
 * removes the old name. Between begin and end.
 */
static int rename_begun(struct upload *upload, struct renaming *renaming,
    struct err *err)
{
	bool moved = upload->dir != renaming->dir;
	int r = 0;

	if (upload->state == UPLOAD_PUSHED)
		return err_set(err, EBUSY, "the file has just been pushed");
	if (upload->source && upload->copied < save_size(upload->source))
		r = upload_copy_spool(upload, err);
	if (r < 0)
		return r;
	upload_restart(upload);
	swap_names(upload, renaming);
	upload->temporary = false;
	upload_settle_kind(upload, moved);
	if (upload->intent.effect != WRITE_NOTHING && upload_size(upload))
		r = upload_complete(upload, true, err);
	if (r < 0) {
		rename_failed(upload, err);
		swap_names(upload, renaming);
		return r;
	}
	uploads_remove_all(upload);
	if (r == 0)
		return uploads_insert(upload->dir, upload->name, upload, err);
	upload_become(upload, UPLOAD_PUSHED, NULL);
	uploads_remember_pushed(upload);
	upload_drop_unreachable(upload);
	return 0;
}

int upload_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	CLEANUP(upload_put_p)
	struct upload *upload = uploads_find_in(dir, name);
	CLEANUP(renaming_release) struct renaming renaming = {0};
	int r;

	if (!upload)
		return 0;
	if (flags & ~(unsigned)RENAME_NOREPLACE)
		return err_set(err, EINVAL,
		    "%s: still being written; cannot be exchanged", name);
	r = renaming_init(&renaming, to_dir, to_name, err);
	if (r == 0)
		r = upload_begin(upload, err);
	if (r < 0)
		return r;
	r = rename_begun(upload, &renaming, err);
	upload_end(upload);
	return r < 0 ? r : 1;
}

int upload_rename_only(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	int r = upload_rename(dir, name, to_dir, to_name, flags, err);

	if (r != 0)
		return r < 0 ? r : 0;
	return err_set(err, EPERM, "%s: part of an image, cannot be renamed",
	    name);
}

int upload_unlink_only(struct node *dir, const char *name, struct err *err)
{
	if (uploads_remove(dir, name))
		return 0;
	return err_set(err, EPERM, "%s: part of an image, cannot be removed",
	    name);
}
