/* SPDX-License-Identifier: Apache-2.0 */
/* One file that is being written: the object, and what is asked of it. */
#include "written_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/task.h"
#include "habits/caller.h"
#include "written.h"

void written_file_free(struct written_file *file)
{
	if (file->push)
		push_free(file->push);
	written_file_copy_forget(file);
	if (file->spool)
		spool_free(file->spool);
	monitor_release(&file->monitor);
	written_dir_put(file->dir);
	free(file->name);
	intent_release(&file->intent);
	free(file);
}

struct written_file *written_file_get(struct written_file *file)
{
	atomic_fetch_add(&file->refs, 1);
	return file;
}

void written_file_put(struct written_file *file)
{
	if (file && atomic_fetch_sub(&file->refs, 1) == 1)
		written_file_free(file);
}

unsigned long written_file_serial(const struct written_file *file)
{
	return file->serial;
}

/* One operation at a time on the bytes; the rest wait, interruptibly. */
int written_file_begin(struct written_file *file, struct err *err)
{
	int r = 0;

	monitor_enter(&file->monitor);
	while (file->busy && r == 0)
		r = monitor_wait(&file->monitor);
	if (r == 0)
		file->busy = true;
	monitor_leave(&file->monitor);
	return r < 0 ? err_set(err, EINTR, "interrupted") : 0;
}

void written_file_end(struct written_file *file)
{
	monitor_enter(&file->monitor);
	file->busy = false;
	monitor_notify(&file->monitor);
	monitor_leave(&file->monitor);
}

void written_file_become(struct written_file *file, enum file_state state,
    const struct err *failure)
{
	struct err copy = failure ? *failure : (struct err)ERR_INIT;

	monitor_enter(&file->monitor);
	file->state = state;
	file->failure = copy;
	monitor_leave(&file->monitor);
}

bool written_file_is_open_to_bytes(const struct written_file *file)
{
	return file->state == FILE_OPEN || file->state == FILE_LATE ||
	       file->state == FILE_CUT;
}

void written_file_restart(struct written_file *file)
{
	push_give_up(steal(&file->push), &file->failure);
	written_file_become(file, written_file_first_state(file), NULL);
}

enum file_state written_file_first_state(const struct written_file *file)
{
	return file->intent.effect == WRITE_NOTHING ? FILE_KEPT : FILE_OPEN;
}

void written_file_forget(struct written_file *file)
{
	written_file_copy_forget(file);
	written_file_restart(file);
}

uint64_t written_file_size(struct written_file *file)
{
	uint64_t written = spool_size(file->spool);
	uint64_t copied = atomic_load(&file->copied);

	return written > copied ? written : copied;
}

bool written_file_is_open(struct written_file *file)
{
	bool open;

	monitor_enter(&file->monitor);
	open = file->openers > 0;
	monitor_leave(&file->monitor);
	return open;
}

bool written_file_came_to_nothing(struct written_file *file)
{
	bool nothing;

	if (written_file_size(file) > 0)
		return false;
	monitor_enter(&file->monitor);
	nothing = file->openers == 0 && file->state < FILE_DONE &&
		  caller_has_ended(file->emptied_by);
	monitor_leave(&file->monitor);
	return nothing;
}

void written_file_copy_forget(struct written_file *file)
{
	save_put(file->source);
	file->source = NULL;
	file->copied = 0;
}

bool written_file_error(struct written_file *file, char *out, size_t size)
{
	bool failed;

	monitor_enter(&file->monitor);
	failed = file->failure.code != 0 && file->state != FILE_CUT &&
		 file->state != FILE_OVERRUN;
	snprintf(out, size, "%s", file->failure.msg);
	monitor_leave(&file->monitor);
	return failed;
}

void written_file_type(struct written_file *file, char *out)
{
	monitor_enter(&file->monitor);
	memcpy(out, file->type, sizeof(file->type));
	monitor_leave(&file->monitor);
}

int written_file_set_type(struct written_file *file, const char *value,
    size_t len, struct err *err)
{
	if (value && !artifact_type_valid(value, len))
		return err_set(err, EINVAL,
		    "an artifact type must be a media type without parameters");
	monitor_enter(&file->monitor);
	snprintf(file->type, sizeof(file->type), "%.*s", value ? (int)len : 0,
	    value ? value : "");
	monitor_leave(&file->monitor);
	return 0;
}

int written_file_setxattr(struct written_file *file, const char *name,
    const void *value, size_t len, int flags, struct err *err)
{
	char type[ARTIFACT_TYPE_SIZE];

	if (strcmp(name, XATTR_ARTIFACT_TYPE) != 0)
		return -EOPNOTSUPP;
	written_file_type(file, type);
	if ((!value && !*type) || (flags & XATTR_REPLACE && !*type))
		return err_set(err, ENODATA, "the file has no artifact type");
	if (flags & XATTR_CREATE && *type)
		return err_set(err, EEXIST,
		    "the file already has an artifact type");
	return written_file_set_type(file, value, len, err);
}

void written_file_stat(struct written_file *file, struct stat *out)
{
	uint64_t size = written_file_size(file);

	out->st_size = (off_t)size;
	out->st_blocks = (blkcnt_t)((size + 511) / 512);
	monitor_enter(&file->monitor);
	out->st_mode = S_IFREG | (file->mode & 07777);
	out->st_mtim = file->mtime;
	monitor_leave(&file->monitor);
	out->st_ctim = out->st_mtim;
	out->st_atim = out->st_mtim;
}
