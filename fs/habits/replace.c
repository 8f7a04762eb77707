/* SPDX-License-Identifier: Apache-2.0 */
/* Removals that are the first half of a replacement. */
#include "replace.h"

#include <errno.h>

#include "attempt.h"
#include "caller.h"

/* Programs that unlink a file before they write another one of its name. */
static bool caller_replaces(void)
{
	static const char *const programs[] = {"mv", "install", "ginstall",
	    "cp", "tar", "bsdtar", "gzip", "pigz", "bzip2", "xz", "zstd"};

	return caller_is_program(programs,
	    sizeof(programs) / sizeof(*programs));
}

/* tar removes what it has put into its archive, or has found to be in there. It
 * takes the option by its first letters, too. */
static bool caller_removes(void)
{
	static const char *const programs[] = {"tar"};

	return caller_is_program(programs, 1) && caller_has_argument("--rem");
}

bool replace_begin(struct node *dir, const char *name)
{
	if (!caller_replaces() || caller_removes())
		return false;
	attempt_note(dir, name, ATTEMPT_REPLACE);
	return true;
}

bool replace_is_begun(const struct node *dir, const char *name)
{
	return attempt_is_noted(dir, name, ATTEMPT_REPLACE);
}

void replace_end(const struct node *dir, const char *name)
{
	attempt_forget(dir, name, ATTEMPT_REPLACE);
}

int replace_check_part(const char *name, const char *repository,
    const char *tag, struct err *err)
{
	if (!caller_is_rsync())
		return 0;
	return err_set(err, EPERM,
	    "%s/%s/%s: rsync would replace the parts of an existing image one "
	    "by one; replace the image as a whole: rsync %s.tar, or cp",
	    repository, tag, name, tag);
}
