/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of referrers that clients maintain: distribution-spec "Referrers Tag
 * Schema". What others wrote into one stays, byte for byte of its values. */
#include <errno.h>
#include <string.h>

#include "document.h"
#include "oci/artifact.h"
#include "print.h"

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

static bool is_of(const json_t *entry, const struct digest *digest)
{
	const char *text = json_string_value(json_object_get(entry, "digest"));
	char want[DIGEST_TEXT_SIZE];

	return text && strcmp(text, digest_format(digest, want)) == 0;
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
