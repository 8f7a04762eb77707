/* SPDX-License-Identifier: Apache-2.0 */
/* Writing into a namespace or repository: archives, scratch files, mkdir. */
#include <errno.h>
#include <string.h>

#include "made.h"
#include "name.h"
#include "nodes.h"
#include "repository.h"
#include "scratch.h"
#include "tags.h"
#include "upload.h"
#include "view_repo.h"

int repo_target(struct node *dir, const char *text, struct upload_target *out,
    struct err *err)
{
	const char *repository = repo_node_repository(dir);
	AUTO_FREE char *path = NULL;
	struct name name;

	name_parse(&name, text);
	if (!*repository && !*name.repository)
		return err_set(err, EPERM,
		    "%s: an image needs a repository: write it to "
		    "REPOSITORY/%s",
		    text, text);
	if (!name_push_tag(&name))
		return 0;
	path = *name.repository ? repo_path(repository, name.repository)
				: strdup(repository);
	if (!path)
		return err_nomem(err);
	return target_set(out, &upload_archive, path, name_push_tag(&name),
	    NULL, err);
}

/*
 * Copying the directory of an image copies no image: it would be unpacked here
 * file by file. What was made for it goes again.
 */
static int check_copy(struct node *dir, const char *name, struct err *err)
{
	const char *repository = repo_node_repository(dir);
	struct made *made = dir->mount->made;
	bool is_part = !strcmp(name, "manifest.json") ||
		       !strcmp(name, "index.json") ||
		       !strcmp(name, "config.json");
	int r = 0;

	/* In a repository that is there these are names like others. */
	if (made_has(made, repository))
		is_part |= !strcmp(name, "layers") || !strcmp(name, "rootfs") ||
			   !strcmp(name, "referrers") ||
			   !strcmp(name, "platforms");
	if (!made_refused(made, repository) && !is_part)
		return 0;
	if (made_has(made, repository))
		r = made_refuse(made, repository, err);
	return r < 0 ? r
		     : err_set(err, EPERM,
			   "%s/%s: an image is not copied file by file: copy "
			   "its archive (cp 1.0.tar 2.0.tar) or link its tag "
			   "(ln -s 1.0 2.0)",
			   repository, name);
}

int repo_create(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	int r = check_copy(dir, name, err);

	return r < 0 ? r : upload_create(dir, name, mode, out, err);
}

int repo_mkdir(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	AUTO_FREE char *path = repo_path(repo_node_repository(dir), name);
	int r;

	if (*repo_node_repository(dir) && scratch_is_name(name))
		return scratch_mkdir(dir, name, mode, out, err);
	if (!path)
		return err_nomem(err);
	r = check_copy(dir, name, err);
	if (r < 0)
		return r;
	if (!repository_component_valid(name, strlen(name)) ||
	    !repository_valid(path))
		return err_set(err, EINVAL,
		    "%s: no repository can have this name: lower-case letters, "
		    "digits, and single . _ - between them",
		    name);
	r = made_add(dir->mount->made, path, err);
	if (r < 0)
		return r;
	return repo_node(dir->mount, path, out, err);
}

int repo_unlink(struct node *dir, const char *name, struct err *err)
{
	if (uploads_remove(dir->mount->uploads, dir, name))
		return 0;
	return tags_unlink(dir, name, err);
}

int repo_rmdir(struct node *dir, const char *name, struct err *err)
{
	AUTO_FREE char *path = repo_path(repo_node_repository(dir), name);
	int r = scratch_rmdir(dir, name, err);

	if (r != 0)
		return r < 0 ? r : 0;
	if (!path)
		return err_nomem(err);
	if (scratch_in(dir->mount, path))
		return err_set(err, ENOTEMPTY,
		    "%s: has scratch directories in it", name);
	return tags_rmdir(dir, name, err);
}

int repo_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	int r = scratch_rename(dir, name, to_dir, to_name, flags, err);

	if (r == 0)
		r = upload_rename(dir, name, to_dir, to_name, flags, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return tags_move(dir, name, to_dir, to_name, flags, err);
}
