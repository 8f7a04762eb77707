/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the directory of an image. */
#include "image_parts.h"

#include <string.h>

#include "document.h"
#include "name.h"
#include "nodes.h"

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

/* A document of a tag, or where the image is one for ever just its content. */
static int document(struct node *dir, const char *name, struct node *content,
    struct node **out, struct err *err)
{
	const struct image_name *is = image_node_name(dir);
	struct document document = {.dir = dir,
	    .name = name,
	    .content = content};
	int r;

	if (!is->tag) {
		*out = node_add(dir->mount->nodes, content, err);
		return *out ? 0 : -err->code;
	}
	r = target_set(&document.target, image_part_kind(name), is->repository,
	    is->tag, NULL, err);
	if (r < 0) {
		node_discard(content);
		return r;
	}
	document.target.in_image = true;
	return document_node(&document, out, err);
}

static int part_manifest(struct node *dir, struct image *top,
    struct image *shown, struct node **out, struct err *err)
{
	struct node *content = NULL;
	int r = manifest_content(dir->mount, shown, &content, err);

	(void)top;
	return r < 0 ? r : document(dir, "manifest.json", content, out, err);
}

static int part_config(struct node *dir, struct image *top, struct image *shown,
    struct node **out, struct err *err)
{
	struct node *content = NULL;
	int r = blob_content(dir->mount, shown, &shown->manifest->config,
	    &content, err);

	(void)top;
	return r < 0 ? r : document(dir, "config.json", content, out, err);
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
	int r = archive_content(dir->mount, top, image_node_name(dir)->tag,
	    &content, err);

	(void)shown;
	return r < 0 ? r : document(dir, IMAGE_TAR, content, out, err);
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
	int r = manifest_content(dir->mount, top, &content, err);

	(void)shown;
	return r < 0 ? r : document(dir, "index.json", content, out, err);
}

static int part_platforms(struct node *dir, struct image *top,
    struct image *shown, struct node **out, struct err *err)
{
	(void)shown;
	return platforms_node(dir, top, out, err);
}

const struct image_part image_parts[] = {
    {"manifest.json", S_IFREG, has_shown, part_manifest, true},
    {"config.json", S_IFREG, has_config, part_config, true},
    {"index.json", S_IFREG, has_index, part_index, false},
    {"layers", S_IFDIR, has_layers, part_layers, true},
    {"rootfs", S_IFDIR, has_layers, part_rootfs, true},
    {"files", S_IFDIR, has_files, part_files, false},
    {"platforms", S_IFDIR, has_index, part_platforms, false},
    {"referrers", S_IFDIR, has_any, part_referrers, false},
    {IMAGE_TAR, S_IFREG, has_any, part_archive, false},
    {0},
};

const struct image_part *image_part_find(const char *name)
{
	for (const struct image_part *part = image_parts; part->name; part++) {
		if (!strcmp(part->name, name))
			return part;
	}
	return NULL;
}

const struct upload_kind *image_part_kind(const char *name)
{
	static const struct {
		const char *name;
		const struct upload_kind *kind;
	} kinds[] = {
	    {"manifest.json", &upload_manifest},
	    {"config.json", &upload_config},
	    {"index.json", &upload_index},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kinds[i].name, name))
			return kinds[i].kind;
	}
	return name_is_archive(name) ? &upload_archive : NULL;
}
