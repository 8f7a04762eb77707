/* SPDX-License-Identifier: Apache-2.0 */
/* rm -r of an image. */
#include "removing.h"

#include <errno.h>
#include <string.h>

#include "base/lock.h"
#include "caller.h"
#include "node/mount.h"

/* Notes it for the caller who has the directory open. False: nobody has. */
static bool note(struct node *image_dir, enum removing removing)
{
	struct mount *mount = image_dir->mount;
	pid_t pid = caller_now().pid;
	bool noted = false;

	SCOPED_LOCK(&mount->handles_lock);
	for (struct handle *at = mount->handles; at; at = at->next) {
		if (at->node != image_dir || at->pid != pid)
			continue;
		at->removing = removing;
		noted = true;
	}
	return noted;
}

int removing_part(struct node *image_dir, const char *name, struct err *err)
{
	bool all = image_dir->mount->delete_tags == DELETE_RECURSIVE;

	if (note(image_dir, all ? REMOVING_ALL : REMOVING_REFUSED) && all)
		return 0;
	return err_set(err, EPERM,
	    "%s: part of an image, cannot be removed alone; %s", name,
	    all ? "rm -r of the image's directory removes its tag"
		: "rm -r of the tag needs -o delete=recursive");
}

enum removing removing_opened(struct handle *handle)
{
	struct mount *mount = handle->node->mount;
	pid_t pid = caller_now().pid;

	SCOPED_LOCK(&mount->handles_lock);
	for (struct handle *at = mount->handles; at; at = at->next)
		if (at->removing && at->pid == pid &&
		    node_is_below(handle->node, at->node))
			return handle->removing = at->removing;
	return REMOVING_NOTHING;
}
