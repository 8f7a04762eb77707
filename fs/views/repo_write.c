/* SPDX-License-Identifier: Apache-2.0 */
/* Writing into a namespace or repository: archives, scratch files, mkdir. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "grammar/image_parts.h"
#include "grammar/name.h"
#include "makers.h"
#include "mirror/layout_copy.h"
#include "mirror/mirror.h"
#include "mirror/part_copy.h"
#include "mirror/parts.h"
#include "oci/reference.h"
#include "repo.h"
#include "scratch/scratch.h"
#include "tag/made.h"
#include "tag/repository.h"
#include "tag/tags.h"
#include "upload/written_file.h"

int repo_write_place(struct node *dir, const char *name,
    struct write_place *out, struct err *err)
{
	int r;

	if (mirror_write_place(dir, name, out))
		return 0;
	*out = (struct write_place){.where = WRITE_IN_REPOSITORY,
	    .repository = repo_node_repository(dir)};
	r = layout_copy_check_file(dir, name, err);
	return r < 0 ? r : part_copy_check_file(dir, name, err);
}

/*
 * A part of an image where no mirror can be: in a repository that is there, at
 * the top; or a directory alone. It would be unpacked here, or be taken for an
 * archive.
 */
static int check_part(const struct node *dir, const char *name, struct err *err)
{
	const char *repository = repo_node_repository(dir);
	const struct image_part *part = image_part_find(name);
	bool made = made_has(dir->source->made, repository);

	/* In a repository these are names as others are. */
	if (!part ||
	    (!made && (part->mode == S_IFDIR || part->id == IMAGE_ARCHIVE)))
		return 0;
	return err_set(err, EPERM,
	    "this is part of an image: copy the image's whole directory to "
	    "REPOSITORY/TAG (cp -r 1.0 2.0), its archive (cp 1.0.tar 2.0.tar), "
	    "or link its tag (ln -s 1.0 2.0)");
}

int repo_create(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	int r = mirror_has_part(dir, name) ? 0 : check_part(dir, name, err);

	return r < 0 ? r : written_file_create(dir, name, mode, out, err);
}

/* Where a service makes repositories before anything is in them, that is done;
 * where it does not, or not for us, the first tag does it. */
static void make_at_source(struct mount_source *source, const char *path)
{
	struct err err = ERR_INIT;
	int r = repository_valid(path)
		    ? source_make(images_source(source->images), path, &err)
		    : -EOPNOTSUPP;

	if (r == 0)
		log_info("made the repository %s", path);
	else if (r != -EOPNOTSUPP)
		log_info("%s is not made before something is pushed into it: "
			 "%s",
		    path, err.msg);
}

int repo_mkdir(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	const char *repository = repo_node_repository(dir);
	AUTO_FREE char *path = repo_path(repository, name);
	bool nests = repository_component_valid(name, strlen(name));
	int r;

	if (*repository && name_is_temporary(WRITE_IN_REPOSITORY, name))
		return scratch_mkdir(dir, name, mode, out, err);
	if (!path)
		return err_nomem(err);
	mirror_begin_by_mkdir(dir, name);
	if (mirror_has_part(dir, name))
		return mirror_mkdir(dir, name, mode, out, err);
	r = check_part(dir, name, err);
	if (r < 0)
		return r;
	if (!(nests && repository_valid(path)) &&
	    !mirror_can_be(repository, name))
		return err_set(err, EINVAL,
		    "this is not a valid repository name; use lower-case "
		    "letters, "
		    "digits, and single . _ - between them");
	r = made_add(dir->source->made, path, err);
	if (r == 0)
		make_at_source(dir->source, path);
	if (r == 0)
		r = repo_node(dir->source, path, out, err);
	if (r == 0)
		mirror_made(*out);
	return r;
}

int repo_unlink(struct node *dir, const char *name, struct err *err)
{
	int r = written_names_remove(dir, name)
		    ? 1
		    : scratch_unlink(dir, name, err);

	if (r != 0)
		return r < 0 ? r : 0;
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
	if (scratch_in(dir->source, path))
		return err_set(err, ENOTEMPTY,
		    "the repository is not empty, there are scratch "
		    "directories in it");
	return tags_rmdir(dir, name, err);
}

int repo_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	int r = scratch_rename(dir, name, to_dir, to_name, flags, err);

	if (r == 0)
		r = written_file_rename(dir, name, to_dir, to_name, flags, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return tags_move(dir, name, to_dir, to_name, flags, err);
}
