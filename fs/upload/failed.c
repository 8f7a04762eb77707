/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files whose push failed. Their bytes are kept under a name of their own, from
 * which a rename to the final name tries again: what came through a pipe cannot
 * be had a second time. Nothing that is kept replaces anything but its own
 * beginning.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/strf.h"
#include "node/mount.h"
#include "written.h"

/* As many different failures of one name as anybody looks at. */
enum { FAILED_MAX = 1000 };

/* Whether replacing what is kept already loses none of it. */
static bool has_all_of(struct written_file *file, struct written_file *kept)
{
	if (file == kept)
		return true;
	if (!file->source && !kept->source)
		return spool_begins_with(file->spool, kept->spool);
	return file->source && kept->source && file->copied >= kept->copied &&
	       digest_equal(&save_image(file->source)->digest,
		   &save_image(kept->source)->digest);
}

/* Whether the file may have the name; free names are anybody's. */
static bool may_have(struct written_file *file, const char *name)
{
	CLEANUP(written_file_put_p)
	struct written_file *kept = written_names_find(file->dir, name);

	return !kept || has_all_of(file, kept);
}

/* ".1.0.failed", or ".1.0.failed.2" where that has other bytes. NULL when out
 * of memory, or names. */
static char *failed_name(struct written_file *file, const char *final)
{
	for (unsigned n = 1; n <= FAILED_MAX; n++) {
		AUTO_FREE char *name = n == 1 ? strf(".%s.failed", final)
					      : strf(".%s.failed.%u", final, n);

		if (!name || may_have(file, name))
			return steal(&name);
	}
	return NULL;
}

static char *keep(struct written_file *file, const char *final)
{
	AUTO_FREE char *failed = final ? failed_name(file, final) : NULL;

	if (!failed ||
	    written_names_insert(file->dir, failed, file, ERR_IGNORE) < 0)
		return NULL;
	return steal(&failed);
}

void written_file_keep_failed(struct written_file *file)
{
	AUTO_FREE char *final = intent_final_name(&file->intent, file->name);
	AUTO_FREE char *failed = keep(file, final);

	(void)failed;
}

void written_file_failed(struct written_file *file)
{
	AUTO_FREE char *final = intent_final_name(&file->intent, file->name);
	AUTO_FREE char *failed = keep(file, final);
	AUTO_FREE char *try =
	    final ? intent_name_to_try(&file->intent, final) : NULL;
	AUTO_FREE char *from = NULL, *to = NULL, *path = NULL;

	if (!failed || !try)
		return; /* it stays under its own name */
	if (strcmp(failed, file->name) != 0)
		written_names_take(file->dir, file->name, file);
	path = written_dir_path(file->dir, file->name);
	from = written_dir_path(file->dir, failed);
	to = written_dir_path(file->dir, try);
	if (path && from && to)
		log_warn("%s is kept as %s; `mv %s %s` tries again: %s", path,
		    from, from, to, file->failure.msg);
}
