/* SPDX-License-Identifier: Apache-2.0 */
/* Tags made, moved and removed. */
#include "tags.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/task.h"
#include "copying.h"
#include "document.h"
#include "image/untag.h"
#include "made.h"
#include "nodes.h"
#include "oci/reference.h"
#include "repository.h"
#include "walk.h"

/* A tag as a name in a directory says it. */
struct tag {
	struct node *node; /* held; NULL where the name is a new one */
	const char *repository;
	const char *tag;
	struct upload_target target; /* of which they may be */
};

static void tag_release(struct tag *tag)
{
	node_put(tag->node);
	target_release(&tag->target);
}

/* That there is: by its directory or its archive. */
static int tag_find(struct node *dir, const char *name, struct tag *out,
    struct err *err)
{
	int r = dir->view->lookup(dir, name, &out->node, err);

	if (r < 0)
		return r;
	if (out->node->view == &view_image) {
		const struct image_name *is = image_node_name(out->node);

		out->repository = is->repository;
		out->tag = is->tag;
	} else if (out->node->view == &view_document) {
		const struct upload_target *is = document_target(out->node);

		out->repository = is->repository;
		out->tag = is->tag;
	}
	if (out->tag)
		return 0;
	return err_set(err, EPERM,
	    "%s: only tags can be moved or removed, and this is none", name);
}

/* That a name would be, or the one of the image that the directory is. */
static int tag_to_be(struct node *dir, const char *name, struct tag *out,
    struct err *err)
{
	int r;

	if (dir->view == &view_image) {
		const struct image_name *is = image_node_name(dir);

		out->repository = is->repository;
		out->tag = is->tag;
		return is->tag ? 0
			       : err_set(err, EPERM,
				     "%s: an image named by its digest never "
				     "changes",
				     name);
	}
	r = target_find(dir, name, &out->target, err);
	if (r < 0)
		return r;
	if (dir->view != &view_repo || out->target.kind != &upload_archive)
		return err_set(err, EPERM, "%s: no tag can have this name",
		    name);
	out->repository = out->target.repository;
	out->tag = out->target.tag;
	return 0;
}

static int copy_to(const struct mount *mount, struct image *image,
    const struct tag *to, struct err *err)
{
	return copy_image(mount, image, to->repository, to->tag, err);
}

int tags_link(struct node *dir, const char *name, const char *path,
    struct node **out, struct err *err)
{
	CLEANUP(tag_release) struct tag to = {0};
	CLEANUP(image_put_p) struct image *image = NULL;
	int r = tag_to_be(dir, name, &to, err);

	if (r == 0)
		r = walk_image(dir->mount, repo_node_repository(dir), path,
		    &image, err);
	if (r == 0)
		r = copy_to(dir->mount, image, &to, err);
	return r < 0 ? err_wrap(err, "linking %s to %s", name, path)
		     : link_node(dir->mount, path, out, err);
}

int tags_link_inside(struct node *image_dir, const char *path,
    struct node **out, struct err *err)
{
	struct mount *mount = image_dir->mount;
	CLEANUP(tag_release) struct tag to = {0};
	CLEANUP(image_put_p) struct image *image = NULL;
	struct err from_repository = ERR_INIT;
	int r = tag_to_be(image_dir, path, &to, err);

	if (r < 0)
		return r;
	r = walk_image(mount, to.repository, path, &image, &from_repository);
	/* `ln -r` counts from the directory itself. */
	if (r < 0 && strncmp(path, "../", 3) == 0)
		r = walk_image(mount, to.repository, path + 3, &image,
		    &(struct err)ERR_INIT);
	if (r < 0)
		*err = from_repository;
	else
		r = copy_to(mount, image, &to, err);
	return r < 0 ? err_wrap(err, "linking %s to %s", to.tag, path)
		     : link_node(mount, path, out, err);
}

/* Whether tags can be removed by this operation. */
static int check_delete(const struct mount *mount, const char *name,
    struct err *err)
{
	if (mount->delete_tags != DELETE_NOTHING)
		return 0;
	return err_set(err, EPERM,
	    "%s: this mount does not delete or move tags; mount with "
	    "-o delete",
	    name);
}

/* What a move replaces; NULL in *out: nothing. */
static int open_replaced(struct images *images, const struct tag *to,
    struct image **out, struct err *err)
{
	int r = image_open_tag(images, to->repository, to->tag, out, err);

	return r == -ENOENT ? 0 : r;
}

static void put_back(const struct mount *mount, struct image *image,
    const struct tag *tag)
{
	struct err err = ERR_INIT;

	if (image && copy_to(mount, image, tag, &err) < 0)
		log_error("%s:%s could not be put back: %s", tag->repository,
		    tag->tag, err.msg);
}

/* The image has both names; then only the new one, or what was before. */
static int move(struct mount *mount, const struct tag *from,
    const struct tag *to, struct err *err)
{
	CLEANUP(image_put_p) struct image *image = NULL;
	CLEANUP(image_put_p) struct image *replaced = NULL;
	int r = untag_check(mount->images, from->repository, err);

	if (r == 0)
		r = image_open_tag(mount->images, from->repository, from->tag,
		    &image, err);
	if (r == 0)
		r = open_replaced(mount->images, to, &replaced, err);
	if (r == 0)
		r = copy_to(mount, image, to, err);
	if (r < 0)
		return r;
	r = untag(mount->images, from->repository, from->tag, err);
	if (r < 0)
		put_back(mount, replaced, to);
	return r;
}

static int exchange(struct mount *mount, const struct tag *a,
    const struct tag *b, struct err *err)
{
	CLEANUP(image_put_p) struct image *was_a = NULL;
	CLEANUP(image_put_p) struct image *was_b = NULL;
	int r =
	    image_open_tag(mount->images, a->repository, a->tag, &was_a, err);

	if (r == 0)
		r = image_open_tag(mount->images, b->repository, b->tag, &was_b,
		    err);
	if (r == 0)
		r = copy_to(mount, was_a, b, err);
	if (r < 0)
		return r;
	r = copy_to(mount, was_b, a, err);
	if (r < 0)
		put_back(mount, was_b, b);
	return r;
}

/* The kernel goes on with the directory's node under its new name. */
static int rename_node(const struct tag *from, struct node *to_dir,
    const char *to_name, const struct tag *to, struct err *err)
{
	if (from->node->view != &view_image)
		return 0;
	return image_node_move(from->node, to_dir, to_name, to->repository,
	    to->tag, err);
}

static int exchange_names(struct node *dir, const char *name,
    struct node *to_dir, const char *to_name, struct err *err)
{
	CLEANUP(tag_release) struct tag a = {0};
	CLEANUP(tag_release) struct tag b = {0};
	struct tag was_a;
	struct task *task;
	int r = tag_find(dir, name, &a, err);

	if (r == 0)
		r = tag_find(to_dir, to_name, &b, err);
	if (r < 0)
		return r;
	was_a = a;
	task = task_suspend();
	r = exchange(dir->mount, &a, &b, err);
	if (r == 0)
		r = rename_node(&a, to_dir, to_name, &b, err);
	if (r == 0)
		r = rename_node(&b, dir, name, &was_a, err);
	task_resume(task);
	return r;
}

int tags_move(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	CLEANUP(tag_release) struct tag from = {0};
	CLEANUP(tag_release) struct tag to = {0};
	struct task *task;
	int r;

	if (flags & RENAME_EXCHANGE)
		return exchange_names(dir, name, to_dir, to_name, err);
	r = check_delete(dir->mount, name, err);
	if (r == 0 && flags)
		r = err_set(err, EINVAL, "%s: tags leave no whiteouts", name);
	if (r == 0)
		r = tag_find(dir, name, &from, err);
	if (r == 0)
		r = tag_to_be(to_dir, to_name, &to, err);
	if (r < 0)
		return r;
	/* 1.0 to 1.0.tar: it has that name. */
	if (!strcmp(from.repository, to.repository) &&
	    !strcmp(from.tag, to.tag))
		return 0;
	task = task_suspend();
	r = move(dir->mount, &from, &to, err);
	if (r == 0)
		r = rename_node(&from, to_dir, to_name, &to, err);
	task_resume(task);
	return r;
}

static int remove_tag(struct node *dir, const char *name, bool directory,
    struct err *err)
{
	CLEANUP(tag_release) struct tag tag = {0};
	int r = check_delete(dir->mount, name, err);

	if (r == 0)
		r = tag_find(dir, name, &tag, err);
	if (r < 0)
		return r;
	if (directory != (tag.node->view == &view_image))
		return err_set(err, directory ? ENOTDIR : EISDIR,
		    "%s: %s directory", name, directory ? "no" : "a");
	return untag(dir->mount->images, tag.repository, tag.tag, err);
}

int tags_unlink(struct node *dir, const char *name, struct err *err)
{
	return remove_tag(dir, name, false, err);
}

/* The tags of signatures and the like, which nobody sees, go last. */
static int remove_hidden(struct mount *mount, const char *repository,
    const struct names *tags, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names_count(tags); i++)
		r = untag(mount->images, repository, names_at(tags, i), err);
	return r;
}

static int remove_repository(struct mount *mount, const char *repository,
    struct err *err)
{
	CLEANUP(names_put_p) struct names *tags = NULL;
	size_t shown = 0;
	int r = images_tags(mount->images, repository, &tags, err);

	if (r < 0 && r != -ENOENT)
		return r;
	for (size_t i = 0; tags && i < names_count(tags); i++)
		shown += !tag_is_referrers(names_at(tags, i));
	if (shown > 0)
		return err_set(err, ENOTEMPTY, "%s: has %zu tag%s", repository,
		    shown, shown == 1 ? "" : "s");
	if (tags && names_count(tags) > 0 &&
	    mount->delete_tags != DELETE_RECURSIVE)
		return err_set(err, ENOTEMPTY,
		    "%s: has tags of signatures, which are not shown",
		    repository);
	if (tags)
		r = remove_hidden(mount, repository, tags, err);
	if (r == 0 || r == -ENOENT)
		images_forget(mount->images, repository);
	return r == -ENOENT ? 0 : r;
}

int tags_rmdir(struct node *dir, const char *name, struct err *err)
{
	CLEANUP(node_put_p) struct node *node = NULL;
	struct mount *mount = dir->mount;
	const char *repository;
	int r = dir->view->lookup(dir, name, &node, err);

	if (r < 0)
		return r;
	if (node->view != &view_repo)
		return remove_tag(dir, name, true, err);
	repository = repo_node_repository(node);
	if (!repo_listed(mount, repository) &&
	    made_remove(mount->made, repository))
		return 0;
	if (repo_has_below(mount, repository))
		return err_set(err, mount->delete_tags ? ENOTEMPTY : EPERM,
		    "%s: has repositories in it", name);
	r = check_delete(mount, name, err);
	return r < 0 ? r : remove_repository(mount, repository, err);
}
