/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of docker-archives, and names in OCI layouts. */
#include "oci/layout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/container.h"
#include "json/document.h"

struct parsed_archive {
	struct docker_archive archive; /* first: its address is what is freed */
	struct arena arena;
};

/* A text that by itself can be a tag is one where bare tags are names. */
static struct image_name make_name(const char *text, bool bare_tags)
{
	struct image_name name = {.text = text};
	struct reference reference;

	if (bare_tags && tag_valid(text, strlen(text)))
		snprintf(name.tag, sizeof(name.tag), "%s", text);
	else if (reference_parse(&reference, text, ERR_IGNORE) == 0)
		snprintf(name.tag, sizeof(name.tag), "%s", reference.tag);
	return name;
}

size_t layout_names(const struct descriptor *entry,
    struct image_name out[LAYOUT_MAX_NAMES])
{
	const char *full =
	    descriptor_annotation(entry, "io.containerd.image.name");
	const char *ref =
	    descriptor_annotation(entry, "org.opencontainers.image.ref.name");
	size_t n = 0;

	if (full)
		out[n++] = make_name(full, false);
	if (ref)
		out[n++] = make_name(ref, true);
	return n;
}

int layout_check_marker(const void *data, size_t len, struct err *err)
{
	json_auto_t *root = NULL;
	json_t *version = NULL;
	const char *text;
	int r = document_read(data, len, LAYOUT_MARKER_MAX, JSON_OBJECT, &root,
	    err);

	if (r == 0)
		r = document_member(root, "imageLayoutVersion", JSON_STRING,
		    &version, err);
	if (r < 0)
		return r;
	if (!version)
		return err_set(err, EINVAL, "imageLayoutVersion is missing");
	text = json_string_value(version);
	if (strncmp(text, "1.", 2) == 0)
		return 0;
	return err_set(err, ENOTSUP,
	    "version \"%.32s\" of image layouts is not supported; 1.0.0 is, "
	    "and all of 1.x",
	    text);
}

/* A list of strings, each in the arena; NULL and 0 where it is absent. */
static int read_list(const json_t *object, const char *name,
    struct arena *arena, const char ***out, size_t *count, struct err *err)
{
	const char **texts;
	json_t *list, *value;
	size_t i;
	int r = document_member(object, name, JSON_ARRAY, &list, err);

	*out = NULL;
	*count = 0;
	if (r < 0 || json_array_size(list) == 0)
		return r;
	if (json_array_size(list) > MANIFEST_MAX_ENTRIES)
		return err_set(err, EINVAL, "%zu %s are more than %d",
		    json_array_size(list), name, MANIFEST_MAX_ENTRIES);
	texts = arena_array(arena, json_array_size(list), sizeof(*texts));
	if (!texts)
		return err_nomem(err);
	json_array_foreach(list, i, value)
	{
		if (json_string_length(value) == 0)
			return err_set(err, EINVAL,
			    "%s[%zu] is not a string, or an empty one", name,
			    i);
		texts[i] = arena_strdup(arena, json_string_value(value));
		if (!texts[i])
			return err_nomem(err);
	}
	*out = texts;
	*count = json_array_size(list);
	return 0;
}

static int read_names(const json_t *object, struct arena *arena,
    struct docker_archive_image *out, struct err *err)
{
	struct image_name *names;
	const char **texts;
	size_t count;
	int r = read_list(object, "RepoTags", arena, &texts, &count, err);

	if (r < 0 || count == 0)
		return r;
	names = arena_array(arena, count, sizeof(*names));
	if (!names)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++)
		names[i] = make_name(texts[i], false);
	out->names = names;
	out->name_count = count;
	return 0;
}

static int read_image(const json_t *object, struct arena *arena,
    struct docker_archive_image *out, struct err *err)
{
	const char **layers;
	int r;

	if (!json_is_object(object))
		return err_set(err, EINVAL, "not an object");
	r = document_text(object, "Config", arena, &out->config, err);
	if (r < 0)
		return r;
	if (!out->config || !out->config[0])
		return err_set(err, EINVAL, "\"Config\" is missing");
	r = read_list(object, "Layers", arena, &layers, &out->layer_count, err);
	if (r < 0)
		return r;
	out->layers = layers;
	return read_names(object, arena, out, err);
}

static int read_images(const json_t *list, struct parsed_archive *parsed,
    struct err *err)
{
	size_t count = json_array_size(list);
	struct docker_archive_image *images;

	if (count == 0)
		return err_set(err, EINVAL, "manifest.json names no image");
	if (count > DOCKER_ARCHIVE_MAX_IMAGES)
		return err_set(err, EINVAL,
		    "manifest.json names %zu images, more than %d", count,
		    DOCKER_ARCHIVE_MAX_IMAGES);
	images = arena_array(&parsed->arena, count, sizeof(*images));
	if (!images)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++)
		if (read_image(json_array_get(list, i), &parsed->arena,
			&images[i], err) < 0)
			return err_wrap(err, "image %zu of manifest.json",
			    i + 1);
	parsed->archive.images = images;
	parsed->archive.image_count = count;
	return 0;
}

int docker_archive_parse(const void *data, size_t len,
    struct docker_archive **out, struct err *err)
{
	json_auto_t *root = NULL;
	CLEANUP(docker_archive_free_p) struct docker_archive *archive = NULL;
	struct parsed_archive *parsed;
	int r;

	r = document_read(data, len, DOCKER_ARCHIVE_MAX_BYTES, JSON_ARRAY,
	    &root, err);
	if (r < 0)
		return err_wrap(err, "manifest.json");
	parsed = calloc(1, sizeof(*parsed));
	if (!parsed)
		return err_nomem(err);
	archive = &parsed->archive;
	r = read_images(root, parsed, err);
	if (r < 0)
		return r;
	*out = steal(&archive);
	return 0;
}

void docker_archive_free(struct docker_archive *archive)
{
	struct parsed_archive *parsed;

	if (!archive)
		return;
	parsed = container_of(archive, struct parsed_archive, archive);
	arena_release(&parsed->arena);
	free(parsed);
}
