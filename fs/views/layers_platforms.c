/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories in an image directory whose entries are a manifest's:
 * layers/ and platforms/. They belong to a digest.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/file.h"
#include "grammar/image_parts.h"
#include "grammar/part_names.h"
#include "habits/habits.h"
#include "makers.h"
#include "node/image_info.h"
#include "node/key.h"
#include "upload/document.h"
#include "upload/written_file.h"

struct part_node {
	struct node node;
	struct image *image;
	/* The tag, where the image is that of one; else NULL. */
	char *tag;
};

static struct image *part_image(const struct node *node)
{
	return container_of(node, const struct part_node, node)->image;
}

static int part_node(struct node *parent, struct image *image,
    enum node_kind kind, const char *name, struct node **out, struct err *err)
{
	struct part_node *part = calloc(1, sizeof(*part));
	const char *tag = image_node_name(parent)->tag;

	if (!part)
		return err_nomem(err);
	part->image = image_get(image);
	if (tag)
		part->tag = strdup(tag);
	node_init_in(&part->node, parent, name, kind,
	    key_of_part(parent, name, &image->digest),
	    /* What is written here has its name for a while. */
	    tag ? 0 : TTL_FOREVER, TTL_FOREVER);
	if (tag && !part->tag) {
		node_discard(&part->node);
		return err_nomem(err);
	}
	*out = node_add(parent->mount->nodes, &part->node, err);
	return *out ? 0 : -err->code;
}

int layers_node(struct node *parent, struct image *image, struct node **out,
    struct err *err)
{
	return part_node(parent, image, NODE_LAYERS,
	    image_parts[IMAGE_LAYERS].name, out, err);
}

int platforms_node(struct node *parent, struct image *index, struct node **out,
    struct err *err)
{
	return part_node(parent, index, NODE_PLATFORMS,
	    image_parts[IMAGE_PLATFORMS].name, out, err);
}

static void part_free(struct node *node)
{
	struct part_node *part = container_of(node, struct part_node, node);

	image_put(part->image);
	free(part->tag);
	free(part);
}

static int part_stat(struct node *node, struct stat *out, struct err *err)
{
	(void)err;
	mount_stat_dir(node->mount, node, out);
	image_stat_time(node, part_image(node), out);
	return 0;
}

/* Which entry of the manifest a directory shows under which name. */
typedef int part_name_fn(struct image *image, size_t index,
    char out[PART_NAME_SIZE], struct err *err);

/* The entry of that name, or the entries' count. */
static int part_find(struct image *image, part_name_fn *namer, const char *name,
    size_t *index, struct err *err)
{
	char text[PART_NAME_SIZE];

	for (*index = 0; *index < image->manifest->entry_count; ++*index) {
		int r = namer(image, *index, text, err);

		if (r < 0)
			return r;
		if (!strcmp(text, name))
			return 0;
	}
	return err_set(err, ENOENT, "no such name");
}

/* The layer whose directory has that name, less the ending, or the count of
 * layers. */
static size_t layer_of_name(const struct image *image, const char *name,
    const char *ending)
{
	char text[PART_NAME_SIZE];
	size_t index;

	for (index = 0; index < image->manifest->entry_count; index++) {
		size_t len;

		layer_dir_name(image, index, text);
		len = strlen(text);
		if (!strncmp(text, name, len) && !strcmp(name + len, ending))
			break;
	}
	return index;
}

static struct part_node *to_part(struct node *node)
{
	return container_of(node, struct part_node, node);
}

/* What is being written in the directory, or was: 1, 0. */
static int written_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	int r = written_names_lookup(dir, name, out, err);

	return r != 0 ? r : document_written(dir, name, out, err);
}

/* What it is to files that are written in it. */
static struct write_place place_of(const struct node *dir,
    enum write_where where)
{
	const struct part_node *self =
	    container_of(dir, const struct part_node, node);

	return (struct write_place){.where = where,
	    .repository = self->image->repository,
	    .tag = self->tag};
}

/* The image's layer that is called so, however it is compressed; NULL: there is
 * none. */
static const struct descriptor *layer_called(const struct image *image,
    const char *name)
{
	char text[PART_NAME_SIZE];
	size_t index;

	if (!layer_is_numbered(name, &index) ||
	    index >= image->manifest->entry_count)
		return NULL;
	layer_dir_name(image, index, text);
	return strspn(name, "0123456789") == strlen(text)
		   ? &image->manifest->entries[index]
		   : NULL;
}

/* Nothing is put in a layer's place. What is called as a layer that the image
 * does not have is one of another image, where it comes with a mirror. */
static int check_layer(const struct part_node *self, const char *name,
    struct err *err)
{
	const struct image *image = self->image;
	const struct descriptor *layer = layer_called(image, name);
	char text[DIGEST_TEXT_SIZE];
	size_t index;

	if (!self->tag || !layer_is_numbered(name, &index))
		return 0;
	if (!layer)
		return replace_check_part(self->tag, err);
	return err_set(err, EPERM,
	    "this layer exists (%s), and layers are not "
	    "replaced: a file of another name adds a layer on top; for another "
	    "image, write %s.tar",
	    digest_format(&layer->digest, text), self->tag);
}

static int layers_write_place(struct node *dir, const char *name,
    struct write_place *out, struct err *err)
{
	*out = place_of(dir, WRITE_IN_LAYERS);
	return check_layer(to_part(dir), name, err);
}

/* A mirror replaces a layer by itself where only its time differs: 1, 0. */
static int is_same_layer(struct node *dir, const char *name,
    struct node *to_dir, const char *to_name, struct err *err)
{
	const struct descriptor *layer =
	    to_dir->kind == NODE_LAYERS
		? layer_called(part_image(to_dir), to_name)
		: NULL;

	return layer ? written_file_has_bytes(dir, name, layer, err) : 0;
}

static int layers_rename(struct node *dir, const char *name,
    struct node *to_dir, const char *to_name, unsigned flags, struct err *err)
{
	int r = is_same_layer(dir, name, to_dir, to_name, err);

	if (r < 0)
		return r;
	if (r == 0)
		return written_file_rename_only(dir, name, to_dir, to_name,
		    flags, err);
	written_names_remove(dir, name);
	return 0;
}

static int layers_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	struct image *image = part_image(dir);
	size_t index = layer_of_name(image, name, "");
	int r;

	*out = NULL;
	r = written_lookup(dir, name, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (index < image->manifest->entry_count)
		return layer_tree_node(dir, name, image, index, out, err);
	index = layer_of_name(image, name, ".changes");
	if (index < image->manifest->entry_count)
		return changes_listing_node(dir, name, image, index, out, err);
	r = part_find(image, layer_name, name, &index, err);
	return r < 0 ? r
		     : blob_node(dir, name, image,
			   &image->manifest->entries[index], out, err);
}

static int list_layer(struct image *image, size_t index, struct dirlist *out,
    struct err *err)
{
	char name[PART_NAME_SIZE];
	int r = layer_name(image, index, name, err);

	return r < 0 ? r
		     : dirlist_add(out, name, strlen(name), S_IFREG,
			   blob_node_number(&image->manifest->entries[index]),
			   err);
}

static int layers_list(struct node *dir, struct dirlist *out, struct err *err)
{
	struct image *image = part_image(dir);
	int r;

	for (size_t i = 0; i < image->manifest->entry_count; i++) {
		CLEANUP(node_put_p) struct node *node = NULL;
		char name[PART_NAME_SIZE];

		layer_dir_name(image, i, name);
		r = layer_tree_node(dir, name, image, i, &node, err);
		if (r == 0)
			r = dirlist_add(out, name, strlen(name), S_IFDIR,
			    node->ino, err);
		if (r == 0)
			r = list_layer(image, i, out, err);
		if (r < 0)
			return r;
	}
	return written_names_list(dir, out, err);
}

static int platforms_write_place(struct node *dir, const char *name,
    struct write_place *out, struct err *err)
{
	(void)name;
	(void)err;
	*out = place_of(dir, WRITE_IN_PLATFORMS);
	return 0;
}

static bool is_index(const struct node *dir)
{
	return part_image(dir)->manifest->kind == MANIFEST_INDEX;
}

static int platforms_lookup(struct node *dir, const char *name,
    struct node **out, struct err *err)
{
	struct image *index_image = part_image(dir);
	CLEANUP(image_put_p) struct image *image = NULL;
	size_t index;
	int r;

	*out = NULL;
	r = written_names_lookup(dir, name, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	/* What was written as linux-arm64 is its directory now. */
	r = is_index(dir)
		? part_find(index_image, platform_name, name, &index, err)
		: -ENOENT;
	if (r == -ENOENT) {
		int w = document_written(dir, name, out, err);

		if (w != 0)
			return w < 0 ? w : 0;
		return err_set(err, ENOENT, "no such platform");
	}

	/* The list has it, so it is no name that does not exist. */
	if (r == 0)
		r = image_open_named(index_image->images,
		    index_image->repository,
		    &index_image->manifest->entries[index].digest, &image, err);
	return r < 0 ? r : image_node_fixed(dir, name, image, out, err);
}

static int platforms_list(struct node *dir, struct dirlist *out,
    struct err *err)
{
	struct image *index = part_image(dir);

	for (size_t i = 0; is_index(dir) && i < index->manifest->entry_count;
	     i++) {
		char name[PART_NAME_SIZE];
		int r = platform_name(index, i, name, err);

		if (r < 0)
			return r;
		if (!*name)
			continue;
		r = dirlist_add(out, name, strlen(name), S_IFDIR,
		    key_number(NODE_IMAGE,
			key_of_part(dir, name,
			    &index->manifest->entries[i].digest)),
		    err);
		if (r < 0)
			return r;
	}
	return written_names_list(dir, out, err);
}

static const struct image *layers_of(const struct node *dir, const char **name)
{
	*name = image_parts[IMAGE_LAYERS].name;
	return part_image(dir);
}

static const struct image *platforms_of(const struct node *dir,
    const char **name)
{
	*name = image_parts[IMAGE_PLATFORMS].name;
	return part_image(dir);
}

const struct view_ops view_layers = {
    .stat = part_stat,
    .free = part_free,
    .lookup = layers_lookup,
    .list = layers_list,
    .part_of = layers_of,
    .write_place = layers_write_place,
    .is_part = true,
    .create = written_file_create,
    .unlink = written_file_unlink_only,
    .rename = layers_rename,
};

const struct view_ops view_platforms = {
    .stat = part_stat,
    .free = part_free,
    .lookup = platforms_lookup,
    .list = platforms_list,
    .part_of = platforms_of,
    .write_place = platforms_write_place,
    .is_part = true,
    .create = written_file_create,
    .unlink = written_file_unlink_only,
    .rename = written_file_rename_only,
};
