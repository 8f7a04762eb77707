/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of one directory of an image. */
#include "part_copy.h"

#include <errno.h>
#include <string.h>

#include "base/lock.h"
#include "grammar/part_names.h"
#include "habits/caller.h"
#include "habits/habits.h"
#include "mirror.h"
#include "node/mount.h"
#include "node/nodes.h"
#include "node/view.h"
#include "node/walk.h"
#include "scratch/scratch.h"
#include "tag/made.h"
#include "tag/repository.h"

static int count_child(void *arg, const char *name, struct err *err)
{
	(void)arg;
	(void)name;
	return err_set(err, ENOTEMPTY, "already exists");
}

/* A directory that was made here, to become a repository, and is empty. */
static bool is_new(const struct node *dir)
{
	struct mount_source *source = dir->source;
	const char *path = repo_node_repository(dir);

	return made_has(source->made, path) && !mirror_exists(source, path) &&
	       !images_found(source->images, path) &&
	       !scratch_in(source, path) &&
	       made_children(source->made, path, count_child, NULL,
		   ERR_IGNORE) == 0;
}

/* Whether it is in an image, and no directory of an image itself. */
static bool is_part(const struct node *dir)
{
	return dir->kind == NODE_LAYERS || dir->kind == NODE_TREE ||
	       dir->kind == NODE_FILES;
}

int part_copy_check_list(const struct node *dir, struct err *err)
{
	CLEANUP(node_put_p) struct node *made = NULL;
	AUTO_FREE char *path = NULL;
	struct mount *mount = dir->mount;
	uint64_t ino;

	if (!is_part(dir) || !(ino = attempt_last(mount, ATTEMPT_MAKE)))
		return 0;
	made = node_find(mount->nodes, ino);
	if (!made || made->kind != NODE_REPO || !is_new(made) ||
	    !caller_is_cp())
		return 0;
	made_remove(made->source->made, repo_node_repository(made));
	path = node_path(made);
	return err_set(err, EPERM,
	    "%s is not an image: it would be a copy of one directory of an "
	    "image; copy the image's whole directory to REPOSITORY/TAG (cp -r "
	    "1.0 2.0), or the directory to a local disk",
	    path ? path : repo_node_repository(made));
}

static bool caller_reads_layer(struct mount *mount)
{
	pid_t pid = caller_now().pid;

	SCOPED_LOCK(&mount->handles_lock);
	for (const struct handle *at = mount->handles; at; at = at->next)
		if (at->pid == pid && at->node->kind == NODE_BLOB)
			return true;
	return false;
}

/* Whether there is the directory beside the file that layers/ has: 01 beside
 * 01.tar.gz. */
static bool has_layer_beside(const struct node *dir, const char *name)
{
	AUTO_FREE char *number = strndup(name, strspn(name, "0123456789"));
	AUTO_FREE char *path =
	    number ? repo_path(repo_node_repository(dir), number) : NULL;

	return path && made_has(dir->source->made, path);
}

int part_copy_check_file(const struct node *dir, const char *name,
    struct err *err)
{
	const char *path = repo_node_repository(dir);
	bool fills;
	size_t index;

	if (!layer_is_numbered(name, &index) ||
	    !made_has(dir->source->made, path))
		return 0;
	fills = attempt_is_noted(dir, "", ATTEMPT_MAKE);
	if (!has_layer_beside(dir, name) &&
	    !attempt_is_noted(dir, "", ATTEMPT_LAYERS) &&
	    !((fills || caller_is_rsync()) && *name == '0') &&
	    !(fills && caller_reads_layer(dir->mount)))
		return 0;
	/* What follows, as layer 10, may be less clear by itself. */
	attempt_note(dir, "", ATTEMPT_LAYERS);
	return err_set(err, EPERM,
	    "the file has the name of an image's layer and cannot become "
	    "an image: copy the image's whole directory to REPOSITORY/TAG (cp "
	    "-r "
	    "1.0 2.0); if the file is an archive, give it another name, or "
	    "create its repository first (mkdir)");
}
