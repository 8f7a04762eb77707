/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the directory of an image. */
#include "image_parts.h"

#include <string.h>

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

const struct image_part image_parts[IMAGE_PARTS] = {
    {IMAGE_MANIFEST, "manifest.json", S_IFREG, has_shown, WRITE_MANIFEST,
	WRITE_MIRROR_PART, true},
    {IMAGE_CONFIG, "config.json", S_IFREG, has_config, WRITE_CONFIG,
	WRITE_MIRROR_PART, true},
    {IMAGE_INDEX, "index.json", S_IFREG, has_index, WRITE_INDEX,
	WRITE_MIRROR_PART, false},
    {IMAGE_LAYERS, "layers", S_IFDIR, has_layers, WRITE_NOTHING, WRITE_NOTHING,
	true},
    {IMAGE_ROOTFS, "rootfs", S_IFDIR, has_layers, WRITE_NOTHING, WRITE_NOTHING,
	true},
    {IMAGE_FILES, "files", S_IFDIR, has_files, WRITE_NOTHING, WRITE_NOTHING,
	false},
    {IMAGE_PLATFORMS, "platforms", S_IFDIR, has_index, WRITE_NOTHING,
	WRITE_NOTHING, false},
    {IMAGE_REFERRERS, "referrers", S_IFDIR, has_any, WRITE_NOTHING,
	WRITE_NOTHING, false},
    {IMAGE_ARCHIVE, IMAGE_TAR, S_IFREG, has_any, WRITE_ARCHIVE, WRITE_MIRROR,
	false},
};

const struct image_part *image_part_find(const char *name)
{
	for (size_t i = 0; i < IMAGE_PARTS; i++) {
		if (!strcmp(image_parts[i].name, name))
			return &image_parts[i];
	}
	return NULL;
}

bool image_part_is(const char *name, enum image_part_id id)
{
	return strcmp(name, image_parts[id].name) == 0;
}

const char *const image_texts[IMAGE_TEXTS] = {
    [IMAGE_HISTORY] = "history",
    [IMAGE_HISTORY_JSON] = "history.json",
    [IMAGE_DOCKERFILE] = "Dockerfile",
    [IMAGE_REPORT] = "report.html",
    [IMAGE_FILES_TABLE] = "files.tsv",
    [IMAGE_BADGE_SVG] = "badge.svg",
    [IMAGE_BADGE_JSON] = "badge.json",
};

enum image_text_id image_text_find(const char *name)
{
	enum image_text_id id = 0;

	while (id < IMAGE_TEXTS && strcmp(image_texts[id], name) != 0)
		id++;
	return id;
}
