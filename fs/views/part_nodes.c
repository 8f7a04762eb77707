/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of what stands in the directory of an image. */
#include "part_nodes.h"

#include "makers.h"
#include "upload/document.h"

struct write_place part_nodes_write_place(const struct node *dir)
{
	const struct image_node_name *image_name = image_node_name(dir);

	return (struct write_place){.where = WRITE_IN_IMAGE,
	    .repository = image_name->repository,
	    .tag = image_name->tag};
}

/* A document of a tag, or where the image is one for ever just its content. */
static int document(struct node *dir, enum image_part_id id,
    struct node *content, struct node **out, struct err *err)
{
	const struct write_place place = part_nodes_write_place(dir);
	const char *name = image_parts[id].name;
	struct document document = {.dir = dir,
	    .name = name,
	    .content = content,
	    .intent = {.source = dir->source}};
	int r;

	if (!place.tag) {
		*out = node_add(dir->mount->nodes, content, err);
		return *out ? 0 : -err->code;
	}
	r = intent_of_name(&place, name, &document.intent, err);
	if (r < 0) {
		node_discard(content);
		return r;
	}
	return document_node(&document, out, err);
}

static int part_manifest(struct node *dir, struct image *top,
    struct image *shown, struct node **out, struct err *err)
{
	struct node *content = NULL;
	int r = manifest_content(dir->source, shown, &content, err);

	(void)top;
	return r < 0 ? r : document(dir, IMAGE_MANIFEST, content, out, err);
}

static int part_config(struct node *dir, struct image *top, struct image *shown,
    struct node **out, struct err *err)
{
	struct node *content = NULL;
	int r = blob_content(dir->source, shown, &shown->manifest->config,
	    &content, err);

	(void)top;
	return r < 0 ? r : document(dir, IMAGE_CONFIG, content, out, err);
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
	struct node *content = NULL;
	int r = archive_content(dir->source, top, image_node_name(dir)->tag,
	    &content, err);

	(void)shown;
	return r < 0 ? r : document(dir, IMAGE_ARCHIVE, content, out, err);
}

static int part_referrers(struct node *dir, struct image *top,
    struct image *shown, struct node **out, struct err *err)
{
	(void)shown;
	return referrers_node(dir, top, out, err);
}

static int part_index(struct node *dir, struct image *top, struct image *shown,
    struct node **out, struct err *err)
{
	struct node *content = NULL;
	int r = manifest_content(dir->source, top, &content, err);

	(void)shown;
	return r < 0 ? r : document(dir, IMAGE_INDEX, content, out, err);
}

static int part_platforms(struct node *dir, struct image *top,
    struct image *shown, struct node **out, struct err *err)
{
	(void)shown;
	return platforms_node(dir, top, out, err);
}

typedef int part_maker(struct node *dir, struct image *top, struct image *shown,
    struct node **out, struct err *err);

static part_maker *const makers[IMAGE_PARTS] = {
    [IMAGE_MANIFEST] = part_manifest,
    [IMAGE_CONFIG] = part_config,
    [IMAGE_INDEX] = part_index,
    [IMAGE_LAYERS] = part_layers,
    [IMAGE_ROOTFS] = part_rootfs,
    [IMAGE_FILES] = part_files,
    [IMAGE_PLATFORMS] = part_platforms,
    [IMAGE_REFERRERS] = part_referrers,
    [IMAGE_ARCHIVE] = part_archive,
};

int part_nodes_make(const struct image_part *part, struct node *dir,
    struct image *top, struct image *shown, struct node **out, struct err *err)
{
	return makers[part->id](dir, top, shown, out, err);
}
