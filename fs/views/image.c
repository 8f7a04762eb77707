/* SPDX-License-Identifier: Apache-2.0 */
/* Image directories: what a tag, a digest or a platform names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "control/control.h"
#include "grammar/image_parts.h"
#include "grammar/name.h"
#include "habits/habits.h"
#include "image/change.h"
#include "makers.h"
#include "node/image_info.h"
#include "node/image_node.h"
#include "node/key.h"
#include "part_nodes.h"
#include "tag/repository.h"
#include "tag/tags.h"
#include "upload/document.h"
#include "upload/written_file.h"

/*
 * The name is the tag's for as long as what is known of the tag. Where tags can
 * be removed the kernel asks each time: a tag has several names (1.0, :1.0,
 * app:1.0), and a removal by one of them, or by 1.0.tar, does not tell the
 * kernel of the others.
 */
static double image_name_ttl(const struct node *node)
{
	const struct image_node_name *name = image_node_name(node);

	if (!name->tag)
		return TTL_FOREVER;
	if (node->mount->delete_tags != DELETE_NOTHING)
		return 0;
	return images_tag_left(node->source->images, name->repository,
	    name->tag);
}

/*
 * The directory's manifest (an index, maybe) and the one whose entries are
 * shown beside it: the platform's. That is NULL where an index has none, and
 * where the registry does not have it, which `lost` then says: what the index
 * itself names can be entered all the same.
 */
struct image_pair {
	struct image *top, *shown;
	struct err lost; /* code 0: it is not */
};

static void pair_release(struct image_pair *pair)
{
	image_put(pair->top);
	image_put(pair->shown);
}

static int image_pair(struct node *node, struct image_pair *out,
    struct err *err)
{
	struct err failure = ERR_INIT;
	int r = image_node_image(node, &out->top, err);

	if (r < 0)
		return r;
	r = image_platform(out->top, &out->shown, &failure);
	if (r == -ENOLINK)
		out->lost = failure;
	else if (r < 0 && r != -ENOENT)
		*err = failure;
	return r == -ENOENT || r == -ENOLINK ? 0 : r;
}

/* Whether a part may be one of the image that is lost. */
static bool is_lost(const struct image_pair *pair,
    const struct image_part *part)
{
	return pair->lost.code && !part->present(pair->top, NULL);
}

/* Another platform can be put beside the one that there is. */
static bool makes_index(const struct node *dir, const char *name,
    const struct image *shown)
{
	return image_node_name(dir)->tag && shown &&
	       manifest_is_image(shown->manifest) &&
	       image_part_is(name, IMAGE_PLATFORMS);
}

/* Whether there is by now a repository that is called as a tag's directory, or
 * is below it. */
static bool is_repository(struct node *dir, const char *name)
{
	const struct image_node_name *image_name = image_node_name(dir);
	AUTO_FREE char *repository =
	    repo_path(image_name->repository, image_name->tag);
	AUTO_FREE char *below = repository ? repo_path(repository, name) : NULL;

	return below && repository_valid(repository) &&
	       (repo_appeared(dir->source, repository) ||
		   (repository_valid(below) &&
		       repo_appeared(dir->source, below)));
}

/* A name that is no part of an image. It may be one in a repository: the kernel
 * is then to look up the directory again, which it does after ESTALE. */
static int no_part(struct node *dir, const char *name, struct err *err)
{
	struct name parsed;

	name_parse(&parsed, name);
	if (image_node_name(dir)->plain && parsed.form == NAME_PLAIN &&
	    is_repository(dir, name))
		return err_set(err, ESTALE, "now in a repository");
	return err_set(err, ENOENT, "no such name");
}

/* The archive of an image whose manifest is lost: who writes it puts the image
 * again. */
static int lost_archive(struct node *dir, const struct err *lost,
    struct node **out, struct err *err)
{
	struct document document = {.dir = dir,
	    .name = IMAGE_TAR,
	    .lost = lost};
	int r = write_intent(dir, IMAGE_TAR, &document.intent, err);

	return r < 0 ? r : document_node(&document, out, err);
}

/* Of what is shown beside an index. */
static int text_lookup(struct node *dir, enum image_text_id text,
    struct node **out, struct err *err)
{
	CLEANUP(pair_release) struct image_pair pair = {0};
	int r = image_pair(dir, &pair, err);

	if (r < 0)
		return r;
	if (pair.lost.code) {
		*err = pair.lost;
		return -err->code;
	}
	if (!pair.shown || !manifest_is_image(pair.shown->manifest))
		return err_set(err, ENOENT, "no such name");
	return image_text_node(dir, text,
	    &(struct inspection){pair.shown, pair.top,
		image_node_name(dir)->tag},
	    out, err);
}

static int image_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	const struct image_part *part = image_part_find(name);
	enum image_text_id text = image_text_find(name);
	CLEANUP(pair_release) struct image_pair pair = {0};
	struct err lost = ERR_INIT;
	int r;

	*out = NULL;
	if (control_is_at(dir, name))
		return control_node(dir, name, out, err);
	if (move_into_is_tried(dir, name)) {
		const struct image_node_name *image_name = image_node_name(dir);

		return image_node_tag(dir, name, image_name->repository,
		    image_name->tag, out, err);
	}
	r = written_names_lookup(dir, name, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (replace_is_begun(dir, name))
		return err_set(err, ENOENT, "being replaced");
	if (!part && image_node_name(dir)->tag)
		r = document_written(dir, name, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (text != IMAGE_TEXTS)
		return text_lookup(dir, text, out, err);
	if (!part)
		return no_part(dir, name, err);
	r = image_pair(dir, &pair, &lost);
	if (r == -ENOLINK && image_node_name(dir)->tag &&
	    part->id == IMAGE_ARCHIVE)
		return lost_archive(dir, &lost, out, err);
	if (r < 0) {
		*err = lost;
		return r;
	}
	if (is_lost(&pair, part)) {
		*err = pair.lost;
		return -err->code;
	}
	if (!part->present(pair.top, pair.shown) &&
	    !makes_index(dir, name, pair.shown))
		return err_set(err, ENOENT, "no such name");
	return part_nodes_make(part, dir, pair.top, pair.shown, out, err);
}

/* The number that programs see. */
static uint64_t part_number(const struct node *node)
{
	return node->kind == NODE_DOCUMENT ? document_number(node) : node->ino;
}

/* No node is made for it until somebody wants to know its size. */
static int image_child(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	(void)mode;
	if (image_part_is(name, IMAGE_ARCHIVE))
		return err_set(err, ENOENT, "not looked up yet");
	return image_lookup(dir, name, out, err);
}

static int list_part(struct node *dir, const struct image_pair *pair,
    const struct image_part *part, struct dirlist *out, struct err *err)
{
	CLEANUP(node_put_p) struct node *node = NULL;
	uint64_t number =
	    archive_number(dir->source, pair->top, image_node_name(dir)->tag);
	int r = 0;

	if (part->id != IMAGE_ARCHIVE) {
		r = part_nodes_make(part, dir, pair->top, pair->shown, &node,
		    err);
		number = r == 0 ? part_number(node) : 0;
	}
	return r < 0 ? r
		     : dirlist_add(out, part->name, strlen(part->name),
			   part->mode, number, err);
}

/* What an image has in any case is listed though nobody can enter it: nothing
 * would tell a list without it from that of an index without images. */
static int list_lost(struct node *dir, const struct image_part *part,
    struct dirlist *out, struct err *err)
{
	if (!part->of_images)
		return 0;
	return dirlist_add(out, part->name, strlen(part->name), part->mode,
	    key_number(NODE_IMAGE, key_of_child(dir, part->name)), err);
}

static int image_list(struct node *dir, struct dirlist *out, struct err *err)
{
	CLEANUP(pair_release) struct image_pair pair = {0};
	int r = image_pair(dir, &pair, err);

	for (size_t i = 0; r == 0 && i < IMAGE_PARTS; i++) {
		const struct image_part *part = &image_parts[i];

		if (is_lost(&pair, part))
			r = list_lost(dir, part, out, err);
		else if (part->present(pair.top, pair.shown))
			r = list_part(dir, &pair, part, out, err);
	}
	if (r == 0)
		r = written_names_list(dir, out, err);
	return r;
}

static int add_reference(const struct image *image, const char *tag,
    struct xattrs *out, struct err *err)
{
	char text[REFERENCE_TEXT_SIZE];
	struct reference reference;
	int r = image_reference(image, tag, &reference, err);

	return r < 0 ? r
		     : xattrs_add(out, "user.oci.reference",
			   reference_format(&reference, text), err);
}

static int image_xattrs(struct node *node, struct xattrs *out, struct err *err)
{
	CLEANUP(pair_release) struct image_pair pair = {0};
	const struct image_node_name *image_name = image_node_name(node);
	int r = 0;

	if (image_name->tag)
		r = facts_add_xattrs(node->source, image_name->repository,
		    image_name->tag, out, err);
	/* No tag has to be asked for to know what a list says of it. */
	if (r < 0 || !xattrs_wants(out, "user.oci."))
		return r;
	r = image_pair(node, &pair, err);
	if (r == 0 && image_name->tag)
		r = xattrs_add_stale(out,
		    images_stale(node->source->images, image_name->repository,
			image_name->tag),
		    err);
	if (r == 0)
		r = add_reference(pair.top, image_node_name(node)->tag, out,
		    err);
	if (r == 0)
		r = image_add_xattrs(pair.top, pair.shown, out, err);
	return r;
}

static int image_write_place(struct node *dir, const char *name,
    struct write_place *out, struct err *err)
{
	const struct image_node_name *self = image_node_name(dir);

	*out = part_nodes_write_place(dir);
	return self->tag && image_part_find(name)
		   ? replace_check_part(self->tag, err)
		   : 0;
}

static int image_unlink(struct node *dir, const char *name, struct err *err)
{
	if (written_names_remove(dir, name) || tags_replaces(dir, name))
		return 0;
	return removing_part(dir, name, err);
}

static int image_symlink(struct node *dir, const char *name, const char *target,
    struct node **out, struct err *err)
{
	return tags_link_inside(dir, name, target, out, err);
}

static int image_mkdir(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	(void)dir;
	(void)name;
	(void)mode;
	(void)out;
	return err_set(err, EPERM,
	    "no directory can be created in an image; copy the image's "
	    "archive (cp 1.0.tar 2.0.tar), or link its tag (ln -s 1.0 2.0)");
}

static int set_annotation(struct node *node, const struct tag_ref *target,
    const char *name, const char *value, int flags, struct err *err)
{
	CLEANUP(image_put_p) struct image *image = NULL;
	bool there = false;
	int r = image_node_image(node, &image, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < image->manifest->annotation_count; i++)
		there |= !strcmp(image->manifest->annotations[i].name, name);
	if (!there && (!value || flags & XATTR_REPLACE))
		return err_set(err, ENODATA, "%s: no such annotation", name);
	if (there && flags & XATTR_CREATE)
		return err_set(err, EEXIST, "%s: the annotation already exists",
		    name);
	return change_annotation(target, name, value, err);
}

/* An annotation of the tag's own manifest. Others go along with a copy. */
static int image_setxattr(struct node *node, const char *name,
    const void *value, size_t len, int flags, struct err *err)
{
	static const char prefix[] = "user.oci.annotation.";
	const struct image_node_name *image_name = image_node_name(node);
	const struct tag_ref target = {.images = node->source->images,
	    .repository = image_name->repository,
	    .tag = image_name->tag};
	AUTO_FREE char *text = value ? strndup(value, len) : NULL;

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return -EOPNOTSUPP;
	if (!image_name->tag)
		return err_set(err, EPERM,
		    "an image named by its digest cannot be changed");
	if (!name[strlen(prefix)])
		return err_set(err, EINVAL, "the annotation's name is empty");
	if (value && (!text || strlen(text) != len))
		return text ? err_set(err, EINVAL,
				  "annotation values cannot contain NUL")
			    : err_nomem(err);
	return set_annotation(node, &target, name + strlen(prefix), text, flags,
	    err);
}

static int image_itself(struct node *node, struct image **out, struct err *err)
{
	int r = image_node_image(node, out, err);

	return r < 0 ? r : 1;
}

const struct view_ops view_image = {
    .image = image_itself,
    .stat = image_node_stat,
    .free = image_node_free,
    .xattrs = image_xattrs,
    .lookup = image_lookup,
    .child = image_child,
    .list = image_list,
    .write_place = image_write_place,
    .create = written_file_create,
    .mkdir = image_mkdir,
    .symlink = image_symlink,
    .unlink = image_unlink,
    .rmdir = removing_part,
    .rename = written_file_rename_only,
    .setxattr = image_setxattr,
    .name_ttl = image_name_ttl,
};
