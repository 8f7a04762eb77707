/* SPDX-License-Identifier: Apache-2.0 */
/* Documents with something changed. */
#include "oci/edit.h"

#include <errno.h>
#include <string.h>

#include "oci/config.h"
#include "print.h"
#include "json/document.h"

static int read_object(const void *data, size_t len, json_t **out,
    struct err *err)
{
	return document_read(data, len, MANIFEST_MAX_BYTES, JSON_OBJECT, out,
	    err);
}

/* The array of that name, which is made where it is missing or null, as Go
 * writes an empty one; NULL when out of memory. */
static json_t *array_member(json_t *object, const char *name)
{
	json_t *array = json_object_get(object, name);

	if (!json_is_array(array)) {
		array = json_array();
		if (json_object_set_new(object, name, array) < 0)
			return NULL;
	}
	return array;
}

/* Makes a descriptor one of other bytes. */
static int set_content(json_t *entry, const struct descriptor *to)
{
	char text[DIGEST_TEXT_SIZE];

	/* What it says of the bytes that were there. */
	json_object_del(entry, "data");
	json_object_del(entry, "urls");
	return json_object_set_new(entry, "digest",
		   json_string(digest_format(&to->digest, text))) |
	       json_object_set_new(entry, "size",
		   json_integer((json_int_t)to->size));
}

int manifest_edit(struct buf *out, const void *manifest, size_t len,
    const struct descriptor *config, const struct descriptor *layer,
    struct err *err)
{
	json_auto_t *root = NULL;
	int r = read_object(manifest, len, &root, err);

	if (r < 0)
		return r;
	if (set_content(json_object_get(root, "config"), config) != 0)
		return err_nomem(err);
	if (layer && json_array_append_new(array_member(root, "layers"),
			 descriptor_json(layer)) < 0)
		return err_nomem(err);
	return document_print(root, out, err);
}

int manifest_annotate(struct buf *out, const void *manifest, size_t len,
    const char *name, const char *value, struct err *err)
{
	json_auto_t *root = NULL;
	json_auto_t *text = value ? json_string(value) : NULL;
	json_t *annotations;
	int r = read_object(manifest, len, &root, err);

	if (r < 0)
		return r;
	annotations = json_object_get(root, "annotations");
	if (value && !json_is_object(annotations)) {
		annotations = json_object();
		if (json_object_set_new(root, "annotations", annotations) < 0)
			return err_nomem(err);
	}
	if (!value)
		json_object_del(annotations, name);
	else if (!text || json_object_set(annotations, name, text) < 0)
		return err_set(err, EINVAL,
		    "an annotation's name and value must be UTF-8");
	if (json_object_size(annotations) == 0)
		json_object_del(root, "annotations");
	return document_print(root, out, err);
}

static bool is_of(const json_t *entry, const struct digest *digest)
{
	const char *text = json_string_value(json_object_get(entry, "digest"));
	char want[DIGEST_TEXT_SIZE];

	return text && strcmp(text, digest_format(digest, want)) == 0;
}

static int set_entry(json_t *entry, const struct descriptor *to)
{
	return set_content(entry, to) | json_object_set_new(entry, "mediaType",
					    json_string(to->media_type));
}

int index_replace(struct buf *out, const void *index, size_t len,
    const struct digest *from, const struct descriptor *to, struct err *err)
{
	json_auto_t *root = NULL;
	json_t *entry;
	size_t i;
	int r = read_object(index, len, &root, err);

	if (r < 0)
		return r;
	json_array_foreach(json_object_get(root, "manifests"), i, entry)
	{
		if (is_of(entry, from) && set_entry(entry, to) != 0)
			return err_nomem(err);
	}
	return document_print(root, out, err);
}

int index_replace_at(struct buf *out, const void *index, size_t len, size_t at,
    const struct descriptor *to, struct err *err)
{
	json_auto_t *root = NULL;
	int r = read_object(index, len, &root, err);

	if (r < 0)
		return r;
	if (set_entry(json_array_get(json_object_get(root, "manifests"), at),
		to) != 0)
		return err_nomem(err);
	return document_print(root, out, err);
}

static json_t *empty_index(void)
{
	return json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType",
	    MEDIA_OCI_INDEX, "manifests");
}

/* 1 if the index has the digest, 0 if not. */
static int has_entry(const void *index, size_t len, const struct digest *digest,
    struct err *err)
{
	CLEANUP(manifest_free_p) struct manifest *parsed = NULL;
	int r = manifest_parse(index, len, NULL, &parsed, err);

	if (r < 0)
		return r;
	if (parsed->kind != MANIFEST_INDEX)
		return err_set(err, EINVAL, "not an index");
	if (parsed->entry_count >= MANIFEST_MAX_ENTRIES)
		return err_set(err, EFBIG, "more than %d entries",
		    MANIFEST_MAX_ENTRIES);
	for (size_t i = 0; i < parsed->entry_count; i++)
		if (digest_equal(&parsed->entries[i].digest, digest))
			return 1;
	return 0;
}

static int read_index(const void *index, size_t len,
    const struct digest *digest, json_t **out, struct err *err)
{
	int r = has_entry(index, len, digest, err);

	if (r == 0)
		r = document_read(index, len, MANIFEST_MAX_BYTES, JSON_OBJECT,
		    out, err);
	/* Which is null where Go's programs have emptied the list. */
	if (r == 0 && !json_is_array(json_object_get(*out, "manifests")) &&
	    json_object_set_new(*out, "manifests", json_array()) < 0)
		r = err_nomem(err);
	return r;
}

int index_add(struct buf *out, const void *index, size_t len,
    const struct descriptor *entry, struct err *err)
{
	json_auto_t *root = index ? NULL : empty_index();
	int r = 0;

	if (index)
		r = read_index(index, len, &entry->digest, &root, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (json_array_append_new(json_object_get(root, "manifests"),
		descriptor_json(entry)) < 0)
		return err_nomem(err);
	r = document_print(root, out, err);
	return r < 0 ? r : 1;
}

int index_remove(struct buf *out, const void *index, size_t len,
    const struct digest *digest, struct err *err)
{
	json_auto_t *root = NULL;
	json_t *entries;
	int r = document_read(index, len, MANIFEST_MAX_BYTES, JSON_OBJECT,
	    &root, err);
	bool found = false;

	if (r == 0)
		r = document_member(root, "manifests", JSON_ARRAY, &entries,
		    err);
	if (r < 0)
		return r;
	for (size_t i = json_array_size(entries); i > 0; i--) {
		if (!is_of(json_array_get(entries, i - 1), digest))
			continue;
		json_array_remove(entries, i - 1);
		found = true;
	}
	if (found)
		r = document_print(root, out, err);
	return r < 0 ? r : found;
}

/* Only where there is one that says something of each layer: a history that
 * begins in the middle would be taken for that of the first layers. */
static int add_history(json_t *root, size_t layers_before, const char *created,
    const char *created_by)
{
	json_t *history = json_object_get(root, "history");

	if (layers_before > 0 && json_array_size(history) == 0)
		return 0;
	return json_array_append_new(array_member(root, "history"),
	    json_pack("{s:s, s:s}", "created", created, "created_by",
		created_by));
}

int config_add_layer(struct buf *out, const void *config, size_t len,
    const struct digest *diff_id, int64_t created, const char *created_by,
    struct err *err)
{
	json_auto_t *root = NULL;
	char time[TIME_TEXT_SIZE], text[DIGEST_TEXT_SIZE];
	json_auto_t *by = json_string(created_by);
	json_t *rootfs, *diff_ids;
	size_t before;
	int r = document_read(config, len, CONFIG_MAX_BYTES, JSON_OBJECT, &root,
	    err);

	if (r == 0)
		r = time_format(created, time, err);
	if (r == 0 && !by)
		r = err_set(err, EINVAL, "the layer's name is not UTF-8");
	if (r < 0)
		return r;
	rootfs = json_object_get(root, "rootfs");
	if (!json_is_object(rootfs)) {
		rootfs = json_pack("{s:s}", "type", "layers");
		if (json_object_set_new(root, "rootfs", rootfs) < 0)
			return err_nomem(err);
	}
	diff_ids = array_member(rootfs, "diff_ids");
	before = json_array_size(diff_ids);
	if (json_array_append_new(diff_ids,
		json_string(digest_format(diff_id, text))) < 0 ||
	    add_history(root, before, time, created_by) < 0 ||
	    json_object_set_new(root, "created", json_string(time)) < 0)
		return err_nomem(err);
	return document_print(root, out, err);
}
