/* SPDX-License-Identifier: Apache-2.0 */
/* Writing into a namespace or repository: archives, scratch files, mkdir. */
#include <errno.h>
#include <string.h>

#include "made.h"
#include "name.h"
#include "nodes.h"
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

int repo_mkdir(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	AUTO_FREE char *path = repo_path(repo_node_repository(dir), name);
	int r;

	(void)mode;
	if (!path)
		return err_nomem(err);
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
	return err_set(err, EPERM, "%s: this mount does not delete tags", name);
}

int repo_rmdir(struct node *dir, const char *name, struct err *err)
{
	AUTO_FREE char *path = repo_path(repo_node_repository(dir), name);

	if (!path)
		return err_nomem(err);
	if (!repo_listed(dir->mount, path) &&
	    made_remove(dir->mount->made, path))
		return 0;
	return err_set(err, EPERM, "%s: this mount does not delete tags", name);
}

int repo_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	int r = upload_rename(dir, name, to_dir, to_name, flags, err);

	if (r != 0)
		return r < 0 ? r : 0;
	return err_set(err, EPERM, "%s: this mount does not move tags", name);
}
