/* SPDX-License-Identifier: Apache-2.0 */
/* Tags made, moved and removed. */
#include "tags.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "habits/habits.h"
#include "image/retag.h"
#include "image/untag.h"
#include "link.h"
#include "made.h"
#include "node/nodes.h"
#include "node/walk.h"
#include "oci/reference.h"
#include "repository.h"
#include "upload/document.h"
#include "upload/written_file.h"

/* A tag as a name in a directory says it. */
struct tag {
	struct node *node; /* held; NULL where the name is a new one */
	struct tag_ref ref;
	struct write_intent intent; /* of which the name may be */
};

static void tag_release(struct tag *tag)
{
	node_put(tag->node);
	intent_release(&tag->intent);
}

/* tag: NULL where it is not one. */
static void set_ref(struct tag *out, const struct node *dir,
    const char *repository, const char *tag)
{
	out->ref = (struct tag_ref){.images = dir->source->images,
	    .repository = repository,
	    .tag = tag};
}

/* That there is: by its directory or its archive. */
static int tag_find(struct node *dir, const char *name, struct tag *out,
    struct err *err)
{
	int r = dir->view->lookup(dir, name, &out->node, err);

	if (r < 0)
		return r;
	if (out->node->kind == NODE_IMAGE) {
		const struct image_node_name *image =
		    image_node_name(out->node);

		set_ref(out, dir, image->repository, image->tag);
	} else if (out->node->kind == NODE_DOCUMENT && dir->kind == NODE_REPO) {
		const struct write_intent *intent = document_intent(out->node);

		set_ref(out, dir, intent->repository, intent->tag);
	}
	if (out->ref.tag)
		return 0;
	return err_set(err, EPERM,
	    "this is not a tag; only tags can be moved or removed");
}

/* That a name would be, or the one of the image that the directory is. */
static int tag_to_be(struct node *dir, const char *name, struct tag *out,
    struct err *err)
{
	int r;

	if (dir->kind == NODE_IMAGE) {
		const struct image_node_name *image = image_node_name(dir);

		set_ref(out, dir, image->repository, image->tag);
		return image->tag ? 0
				  : err_set(err, EPERM,
					"an image named by its digest cannot "
					"be changed");
	}
	r = write_intent(dir, name, &out->intent, err);
	if (r < 0)
		return r;
	if (dir->kind != NODE_REPO || out->intent.effect != WRITE_ARCHIVE)
		return err_set(err, EPERM,
		    "the new name is not a valid tag name");
	set_ref(out, dir, out->intent.repository, out->intent.tag);
	return 0;
}

int tags_link(struct node *dir, const char *name, const char *path,
    struct node **out, struct err *err)
{
	CLEANUP(tag_release) struct tag to = {0};
	CLEANUP(image_put_p) struct image *image = NULL;
	int r = link_check_name(name, path, err);

	if (r == 0)
		r = tag_to_be(dir, name, &to, err);
	if (r == 0)
		r = walk_image(dir->source, repo_node_repository(dir), path,
		    &image, err);
	if (r == 0)
		r = tag_copy(image, &to.ref, dir->mount->referrers, err);
	return r < 0 ? r : link_node(dir->source, path, out, err);
}

int tags_link_inside(struct node *image_dir, const char *name, const char *path,
    struct node **out, struct err *err)
{
	struct mount_source *source = image_dir->source;
	CLEANUP(tag_release) struct tag to = {0};
	CLEANUP(image_put_p) struct image *image = NULL;
	struct err from_repository = ERR_INIT;
	const char *slash = strrchr(path, '/');
	int r = tag_to_be(image_dir, path, &to, err);

	if (r == 0 && strcmp(name, slash ? slash + 1 : path) != 0)
		r = err_set(err, EPERM,
		    "no link can be created in an image's directory");
	if (r < 0)
		return r;
	r = walk_image(source, to.ref.repository, path, &image,
	    &from_repository);
	/* `ln -r` counts from the directory itself. */
	if (r < 0 && strncmp(path, "../", 3) == 0)
		r = walk_image(source, to.ref.repository, path + 3, &image,
		    &(struct err)ERR_INIT);
	if (r < 0)
		*err = from_repository;
	else
		r = tag_copy(image, &to.ref, source->mount->referrers, err);
	return r < 0 ? err_wrap(err, "tag %s", to.ref.tag)
		     : link_node(source, path, out, err);
}

/* Whether tags can be removed by this operation. */
static int check_delete(const struct mount *mount, struct err *err)
{
	if (mount->delete_tags != DELETE_NOTHING)
		return 0;
	return err_set(err, EPERM,
	    "this mount does not delete or move tags; mount with "
	    "-o delete");
}

/* The kernel goes on with the directory's node under its new name. */
static int rename_node(const struct tag *from, struct node *to_dir,
    const char *to_name, const struct tag *to, struct err *err)
{
	struct node *node = from->node;

	return node->kind == NODE_IMAGE
		   ? image_node_move(node, to_dir, to_name, to->ref.repository,
			 to->ref.tag, err)
		   : 0;
}

static int exchange_names(struct node *dir, const char *name,
    struct node *to_dir, const char *to_name, struct err *err)
{
	CLEANUP(tag_release) struct tag a = {0};
	CLEANUP(tag_release) struct tag b = {0};
	struct tag was_a;
	int r = tag_find(dir, name, &a, err);

	if (r == 0)
		r = tag_find(to_dir, to_name, &b, err);
	if (r < 0)
		return r;
	was_a = a;
	r = tag_exchange(&a.ref, &b.ref, dir->mount->referrers, err);
	if (r == 0)
		r = rename_node(&a, to_dir, to_name, &b, err);
	if (r == 0)
		r = rename_node(&b, dir, name, &was_a, err);
	return r;
}

int tags_move(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	CLEANUP(tag_release) struct tag from = {0};
	CLEANUP(tag_release) struct tag to = {0};
	int r = backup_check(to_name, err);

	if (r == 0)
		r = check_delete(dir->mount, err);
	if (r == 0 && flags & RENAME_EXCHANGE)
		return exchange_names(dir, name, to_dir, to_name, err);
	if (r == 0)
		r = move_into_check(to_dir, name, to_name, flags, err);
	if (r == 0 && flags & ~(unsigned)RENAME_NOREPLACE)
		r = err_set(err, EINVAL, "RENAME_WHITEOUT is not supported");
	if (r == 0)
		r = tag_find(dir, name, &from, err);
	if (r == 0)
		r = tag_to_be(to_dir, to_name, &to, err);
	if (r < 0)
		return r;
	/* 1.0 to 1.0.tar: it has that name. */
	if (from.ref.images == to.ref.images &&
	    !strcmp(from.ref.repository, to.ref.repository) &&
	    !strcmp(from.ref.tag, to.ref.tag))
		return 0;
	r = tag_move(&from.ref, &to.ref, dir->mount->referrers, err);
	return r < 0 ? r : rename_node(&from, to_dir, to_name, &to, err);
}

bool tags_replaces(struct node *dir, const char *name)
{
	CLEANUP(node_put_p) struct node *file = NULL;

	return dir->view->lookup(dir, name, &file, ERR_IGNORE) == 0 &&
	       file->kind == NODE_DOCUMENT && !document_was_read(file) &&
	       replace_begin(dir, name);
}

static int remove_tag(struct node *dir, const char *name, bool directory,
    struct err *err)
{
	CLEANUP(tag_release) struct tag tag = {0};
	int r = check_delete(dir->mount, err);

	if (r == 0)
		r = tag_find(dir, name, &tag, err);
	if (r < 0)
		return r;
	if (directory != (tag.node->kind == NODE_IMAGE))
		return err_set(err, directory ? ENOTDIR : EISDIR,
		    "this is %s directory", directory ? "not a" : "a");
	return untag(dir->source->images, tag.ref.repository, tag.ref.tag, err);
}

int tags_unlink(struct node *dir, const char *name, struct err *err)
{
	/* What gzip removes when it has written NAME.gz is the same tag. */
	if (tags_replaces(dir, name) || written_names_renew(dir, name))
		return 0;
	return remove_tag(dir, name, false, err);
}

/* The tags of signatures and the like, which nobody sees, go last. */
static int remove_hidden(struct mount_source *source, const char *repository,
    const struct names *tags, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names_count(tags); i++) {
		struct err said = ERR_INIT;

		r = untag(source->images, repository, names_at(tags, i), &said);
		/* Two of them can be one manifest. */
		if (r == -ENOENT)
			r = 0;
		if (r < 0)
			*err = said;
	}
	return r;
}

/* Where a service has repositories in which nothing is. */
static int drop_at_source(struct mount_source *source, const char *repository,
    struct err *err)
{
	struct err said = ERR_INIT;
	int r = source_drop(images_source(source->images), repository, &said);

	if (r == 0 || r == -EOPNOTSUPP || r == -ENOENT)
		return 0;
	*err = said;
	return r;
}

static int remove_repository(struct mount_source *source,
    const char *repository, struct err *err)
{
	CLEANUP(names_put_p) struct names *tags = NULL;
	size_t shown = 0;
	int r = images_tags(source->images, repository, &tags, err);

	if (r < 0 && r != -ENOENT)
		return r;
	if (images_stale(source->images, repository, NULL))
		return err_set(err, EIO,
		    "the registry cannot be reached, so that its tags are "
		    "not known");
	for (size_t i = 0; tags && i < names_count(tags); i++)
		shown += !tag_is_referrers(names_at(tags, i));
	if (shown > 0)
		return err_set(err, ENOTEMPTY,
		    "the repository is not empty, it has %zu tag%s", shown,
		    shown == 1 ? "" : "s");
	if (tags && names_count(tags) > 0 &&
	    source->mount->delete_tags != DELETE_RECURSIVE)
		return err_set(err, ENOTEMPTY,
		    "the repository is not empty, it has tags of signatures, "
		    "which are not "
		    "shown");
	if (tags)
		r = remove_hidden(source, repository, tags, err);
	if (r == 0 || r == -ENOENT)
		r = drop_at_source(source, repository, err);
	if (r == 0) {
		made_remove(source->made, repository);
		images_forget(source->images, repository);
	}
	return r;
}

/* What mkdir made, and a service perhaps with it. */
static int remove_made(struct mount_source *source, const char *repository,
    struct err *err)
{
	int r = 0;

	if (source->mount->delete_tags != DELETE_NOTHING)
		r = drop_at_source(source, repository, err);
	if (r == 0)
		made_remove(source->made, repository);
	return r;
}

/* A namespace is there until it is removed, though nothing is in it any more:
 * rm -r removes it next. */
static int keep_namespace(const struct node *dir, struct err *err)
{
	const char *path = repo_node_repository(dir);

	return !*path || repo_listed(dir->source, path)
		   ? 0
		   : made_add(dir->source->made, path, err);
}

int tags_rmdir(struct node *dir, const char *name, struct err *err)
{
	CLEANUP(node_put_p) struct node *node = NULL;
	struct mount_source *source;
	const char *repository;
	int r = dir->view->lookup(dir, name, &node, err);

	if (r < 0)
		return r;
	if (node->kind != NODE_REPO)
		return remove_tag(dir, name, true, err);
	source = node->source;
	repository = repo_node_repository(node);
	if (!repo_listed(source, repository) &&
	    made_has(source->made, repository))
		return remove_made(source, repository, err);
	if (repo_has_below(source, repository))
		return err_set(err, dir->mount->delete_tags ? ENOTEMPTY : EPERM,
		    "the repository is not empty, there are repositories in "
		    "it");
	r = check_delete(dir->mount, err);
	if (r == 0)
		r = remove_repository(source, repository, err);
	return r < 0 ? r : keep_namespace(dir, err);
}
