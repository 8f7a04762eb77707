/* SPDX-License-Identifier: Apache-2.0 */
/* Image directories: what a tag, a digest or a platform names. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lock.h"
#include "document.h"
#include "image_info.h"
#include "name.h"
#include "nodes.h"
#include "upload.h"

/* Its size is that of all manifests of an index, which nobody wants to read for
 * a list of names. */
#define IMAGE_TAR "image.tar"

struct image_node {
	struct node node;
	char *repository;
	char *tag; /* NULL: the image is fixed */
	pthread_mutex_t lock;
	struct image *image; /* what it last was; under lock unless fixed */
};

static struct image_node *to_image(const struct node *node)
{
	return (struct image_node *)(uintptr_t)node;
}

void image_node_target(const struct node *node, const char **repository,
    const char **tag)
{
	*repository = to_image(node)->repository;
	*tag = to_image(node)->tag;
}

static int add(struct node *parent, const char *name, const char *repository,
    const char *tag, struct image *image, struct node **out, struct err *err)
{
	struct image_node *made = calloc(1, sizeof(*made));
	double ttl = tag ? parent->mount->tag_ttl : TTL_FOREVER;
	char text[DIGEST_TEXT_SIZE] = "";
	char *key;

	if (!made)
		return err_nomem(err);
	if (image)
		digest_format(&image->digest, text);
	key = file_path("%s/%s%s%s", parent->key, name, image ? "#" : "", text);
	pthread_mutex_init(&made->lock, NULL);
	made->repository = strdup(repository);
	made->tag = tag ? strdup(tag) : NULL;
	made->image = image ? image_get(image) : NULL;
	/* What is below a tag is looked up each time: it is the tag's as it
	 * stands now, at once, for every process. */
	node_init(&made->node, parent->mount, &view_image, key,
	    tag ? 0 : TTL_FOREVER, ttl);
	if (!made->repository || (tag && !made->tag)) {
		free(key);
		view_image.free(&made->node);
		return err_nomem(err);
	}
	*out = node_add(parent->mount->nodes, &made->node, err);
	return *out ? 0 : -err->code;
}

int image_node_tag(struct node *parent, const char *name,
    const char *repository, const char *tag, struct node **out, struct err *err)
{
	return add(parent, name, repository, tag, NULL, out, err);
}

int image_node_fixed(struct node *parent, const char *name, struct image *image,
    struct node **out, struct err *err)
{
	return add(parent, name, image->repository, NULL, image, out, err);
}

static void image_free(struct node *node)
{
	struct image_node *self = to_image(node);

	image_put(self->image);
	pthread_mutex_destroy(&self->lock);
	free(self->repository);
	free(self->tag);
	free(self);
}

static struct image *image_last(struct image_node *self)
{
	SCOPED_LOCK(&self->lock);
	return self->image ? image_get(self->image) : NULL;
}

static void image_remember(struct image_node *self, struct image *image)
{
	struct image *before;

	{
		SCOPED_LOCK(&self->lock);
		before = self->image;
		self->image = image_get(image);
	}
	image_put(before);
}

/* What the directory's manifest is now. */
static int image_now(struct image_node *self, struct image **out,
    struct err *err)
{
	CLEANUP(image_put_p) struct image *last = image_last(self);
	struct images *images = self->node.mount->images;
	struct digest digest;
	int r;

	if (self->tag) {
		r = images_resolve(images, self->repository, self->tag, &digest,
		    err);
		if (r < 0)
			return r;
		if (!last || !digest_equal(&last->digest, &digest)) {
			image_put(last);
			last = NULL;
			r = image_open(images, self->repository, &digest, &last,
			    err);
			if (r < 0)
				return r;
			image_remember(self, last);
		}
	}
	*out = steal(&last);
	return 0;
}

static int image_stat(struct node *node, struct stat *out, struct err *err)
{
	CLEANUP(image_put_p) struct image *image = image_last(to_image(node));

	(void)err;
	mount_stat_dir(node->mount, node, out);
	/* Only what is known: a list of 5,000 tags must not ask for each. */
	if (image)
		image_stat_time(image, out);
	return 0;
}

/*
 * The directory's manifest (an index, maybe) and the one whose entries are
 * shown beside it: the platform's. shown is NULL where an index has none.
 */
static int image_pair(struct node *node, struct image **top,
    struct image **shown, struct err *err)
{
	struct err none = ERR_INIT;
	int r = image_now(to_image(node), top, err);

	if (r < 0)
		return r;
	r = image_platform(*top, shown, &none);
	if (r < 0 && r != -ENOENT)
		*err = none;
	return r == -ENOENT ? 0 : r;
}

/* One entry of an image directory. */
struct image_part {
	const char *name;
	mode_t mode;
	bool (*present)(const struct image *top, const struct image *shown);
	int (*node)(struct node *dir, struct image *top, struct image *shown,
	    struct node **out, struct err *err);
};

static bool has_shown(const struct image *top, const struct image *shown)
{
	(void)top;
	return shown != NULL;
}

static bool has_any(const struct image *top, const struct image *shown)
{
	(void)top;
	(void)shown;
	return true;
}

static bool has_config(const struct image *top, const struct image *shown)
{
	(void)top;
	return shown && digest_is_set(&shown->manifest->config.digest);
}

static bool has_layers(const struct image *top, const struct image *shown)
{
	(void)top;
	return shown && manifest_is_image(shown->manifest);
}

static bool has_files(const struct image *top, const struct image *shown)
{
	(void)top;
	return shown && !manifest_is_image(shown->manifest);
}

static bool has_index(const struct image *top, const struct image *shown)
{
	(void)shown;
	return top->manifest->kind == MANIFEST_INDEX;
}

static int part_manifest(struct node *dir, struct image *top,
    struct image *shown, struct node **out, struct err *err)
{
	(void)top;
	return manifest_node(dir->mount, shown, out, err);
}

static int part_config(struct node *dir, struct image *top, struct image *shown,
    struct node **out, struct err *err)
{
	(void)top;
	return blob_node(dir->mount, shown, &shown->manifest->config, out, err);
}

static int part_layers(struct node *dir, struct image *top, struct image *shown,
    struct node **out, struct err *err)
{
	(void)top;
	return layers_node(dir, shown, out, err);
}

static int part_rootfs(struct node *dir, struct image *top, struct image *shown,
    struct node **out, struct err *err)
{
	(void)top;
	return rootfs_node(dir, shown, out, err);
}

static int part_files(struct node *dir, struct image *top, struct image *shown,
    struct node **out, struct err *err)
{
	(void)top;
	return files_node(dir, shown, out, err);
}

static int part_archive(struct node *dir, struct image *top,
    struct image *shown, struct node **out, struct err *err)
{
	const struct image_node *self = to_image(dir);
	struct document document = {.dir = dir, .name = IMAGE_TAR};
	int r =
	    archive_content(dir->mount, top, self->tag, &document.content, err);

	(void)shown;
	if (r == 0 && self->tag)
		r = target_set(&document.target, &upload_archive,
		    self->repository, self->tag, NULL, err);
	if (r < 0) {
		node_discard(document.content);
		return r;
	}
	return document_node(&document, out, err);
}

static int part_index(struct node *dir, struct image *top, struct image *shown,
    struct node **out, struct err *err)
{
	(void)shown;
	return manifest_node(dir->mount, top, out, err);
}

static int part_platforms(struct node *dir, struct image *top,
    struct image *shown, struct node **out, struct err *err)
{
	(void)shown;
	return platforms_node(dir, top, out, err);
}

static const struct image_part parts[] = {
    {"manifest.json", S_IFREG, has_shown, part_manifest},
    {"config.json", S_IFREG, has_config, part_config},
    {"index.json", S_IFREG, has_index, part_index},
    {"layers", S_IFDIR, has_layers, part_layers},
    {"rootfs", S_IFDIR, has_layers, part_rootfs},
    {"files", S_IFDIR, has_files, part_files},
    {"platforms", S_IFDIR, has_index, part_platforms},
    {IMAGE_TAR, S_IFREG, has_any, part_archive},
};
enum { PART_COUNT = sizeof(parts) / sizeof(*parts) };

static const struct image_part *part_find(const char *name)
{
	for (size_t i = 0; i < PART_COUNT; i++) {
		if (!strcmp(parts[i].name, name))
			return &parts[i];
	}
	return NULL;
}

static int image_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	const struct image_node *self = to_image(dir);
	const struct image_part *part = part_find(name);
	CLEANUP(image_put_p) struct image *top = NULL;
	CLEANUP(image_put_p) struct image *shown = NULL;
	int r;

	*out = NULL;
	r = uploads_lookup(dir->mount->uploads, dir, name, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!part && self->tag)
		r = document_written(dir, name, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!part)
		return err_set(err, ENOENT, "%s: no such name", name);
	r = image_pair(dir, &top, &shown, err);
	if (r < 0)
		return r;
	if (!part->present(top, shown))
		return err_set(err, ENOENT, "%s: no such name", name);
	return part->node(dir, top, shown, out, err);
}

/* The number that programs see. */
static uint64_t part_number(const struct node *node)
{
	return node->view == &view_document ? document_number(node) : node->ino;
}

/* No node is made for it until somebody wants to know its size. */
static int image_child(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	(void)mode;
	if (!strcmp(name, IMAGE_TAR))
		return err_set(err, ENOENT, "%s: not looked up yet", name);
	return image_lookup(dir, name, out, err);
}

static int image_list(struct node *dir, struct dirlist *out, struct err *err)
{
	CLEANUP(image_put_p) struct image *top = NULL;
	CLEANUP(image_put_p) struct image *shown = NULL;
	int r = image_pair(dir, &top, &shown, err);

	for (size_t i = 0; r == 0 && i < PART_COUNT; i++) {
		CLEANUP(node_put_p) struct node *node = NULL;

		if (!parts[i].present(top, shown))
			continue;
		if (strcmp(parts[i].name, IMAGE_TAR) != 0)
			r = parts[i].node(dir, top, shown, &node, err);
		if (r == 0)
			r = dirlist_add(out, parts[i].name,
			    strlen(parts[i].name), parts[i].mode,
			    node ? part_number(node)
				 : archive_number(top, to_image(dir)->tag),
			    err);
	}
	if (r == 0)
		r = uploads_list(dir->mount->uploads, dir, out, err);
	return r;
}

static int add_reference(const struct image_node *self, struct image *image,
    struct xattrs *out, struct err *err)
{
	char digest[DIGEST_TEXT_SIZE];
	AUTO_FREE char *text = file_path("%s/%s%s%s",
	    registry_host(images_registry(image->images)), self->repository,
	    self->tag ? ":" : "@",
	    self->tag ? self->tag : digest_format(&image->digest, digest));

	if (!text)
		return err_nomem(err);
	return xattrs_add(out, "user.oci.reference", text, err);
}

static int image_xattrs(struct node *node, struct xattrs *out, struct err *err)
{
	CLEANUP(image_put_p) struct image *top = NULL;
	CLEANUP(image_put_p) struct image *shown = NULL;
	int r = image_pair(node, &top, &shown, err);

	if (r == 0)
		r = add_reference(to_image(node), top, out, err);
	if (r == 0)
		r = image_add_xattrs(top, shown, out, err);
	return r;
}

static int image_target(struct node *dir, const char *name,
    struct upload_target *out, struct err *err)
{
	const struct image_node *self = to_image(dir);

	if (!self->tag)
		return err_set(err, EPERM,
		    "%s: an image named by its digest never changes", name);
	if (!name_is_archive(name))
		return 0;
	return target_set(out, &upload_archive, self->repository, self->tag,
	    NULL, err);
}

static int image_unlink(struct node *dir, const char *name, struct err *err)
{
	if (uploads_remove(dir->mount->uploads, dir, name))
		return 0;
	return err_set(err, EPERM, "%s: part of an image, which never changes",
	    name);
}

static int image_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	int r = upload_rename(dir, name, to_dir, to_name, flags, err);

	if (r != 0)
		return r < 0 ? r : 0;
	return err_set(err, EPERM, "%s: part of an image, which never changes",
	    name);
}

const struct view_ops view_image = {
    .stat = image_stat,
    .free = image_free,
    .xattrs = image_xattrs,
    .lookup = image_lookup,
    .child = image_child,
    .list = image_list,
    .target = image_target,
    .create = upload_create,
    .unlink = image_unlink,
    .rename = image_rename,
};
