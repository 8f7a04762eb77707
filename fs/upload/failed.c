/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files whose push failed. Their bytes are kept under a name of their own, from
 * which a rename to the final name tries again: what came through a pipe cannot
 * be had a second time. Nothing that is kept replaces anything but its own
 * beginning.
 */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "node/mount.h"
#include "table.h"

/* As many different failures of one name as anybody looks at. */
enum { FAILED_MAX = 1000 };

/* Whether replacing what is kept already loses none of it. */
static bool has_all_of(struct upload *upload, struct upload *kept)
{
	if (upload == kept)
		return true;
	if (!upload->source && !kept->source)
		return spool_begins_with(upload->spool, kept->spool);
	return upload->source && kept->source &&
	       upload->copied >= kept->copied &&
	       digest_equal(&save_image(upload->source)->digest,
		   &save_image(kept->source)->digest);
}

/* Whether the upload may have the name; free names are anybody's. */
static bool may_have(struct upload *upload, const char *name)
{
	CLEANUP(upload_put_p)
	struct upload *kept = uploads_find(upload->dir, name);

	return !kept || has_all_of(upload, kept);
}

/* ".1.0.failed", or ".1.0.failed.2" where that has other bytes. NULL when out
 * of memory, or names. */
static char *failed_name(struct upload *upload, const char *final)
{
	for (unsigned n = 1; n <= FAILED_MAX; n++) {
		AUTO_FREE char *name =
		    n == 1 ? file_path(".%s.failed", final)
			   : file_path(".%s.failed.%u", final, n);

		if (!name || may_have(upload, name))
			return steal(&name);
	}
	return NULL;
}

static char *keep(struct upload *upload, const char *final)
{
	AUTO_FREE char *failed = final ? failed_name(upload, final) : NULL;
	struct err none = ERR_INIT;

	if (!failed || uploads_insert(upload->dir, failed, upload, &none) < 0)
		return NULL;
	return steal(&failed);
}

void upload_keep_failed(struct upload *upload)
{
	AUTO_FREE char *final =
	    intent_final_name(&upload->intent, upload->name);
	AUTO_FREE char *failed = keep(upload, final);

	(void)failed;
}

void uploads_failed_now(struct upload *upload)
{
	AUTO_FREE char *final =
	    intent_final_name(&upload->intent, upload->name);
	AUTO_FREE char *failed = keep(upload, final);
	AUTO_FREE char *try =
	    final ? intent_name_to_try(&upload->intent, final) : NULL;
	AUTO_FREE char *from = NULL, *to = NULL, *path = NULL;

	if (!failed || !try)
		return; /* it stays under its own name */
	if (strcmp(failed, upload->name) != 0)
		uploads_take_name(upload->dir, upload->name, upload);
	path = written_dir_path(upload->dir, upload->name);
	from = written_dir_path(upload->dir, failed);
	to = written_dir_path(upload->dir, try);
	if (path && from && to)
		log_warn("%s is kept as %s; `mv %s %s` tries again: %s", path,
		    from, from, to, upload->failure.msg);
}
