/* SPDX-License-Identifier: Apache-2.0 */
/* The manifests and blobs of an OCI layout. */
#include "oci_blobs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/map.h"
#include "blob_path.h"
#include "read.h"

enum {
	/* All manifests of one archive in all: what one may have. */
	MANIFESTS_MAX_BYTES = MANIFEST_MAX_BYTES,
};

struct oci_blobs {
	const struct archive_reader *reader;
	struct arena arena;
	size_t manifest_bytes;      /* read so far */
	struct oci_manifest *index; /* index.json */
	struct map manifests;       /* by digest, without index.json */
	struct map listed;          /* blobs, by digest */

	struct archive_blob *blobs;
	size_t blob_count, blob_room;
	struct archive_manifest *list;
	size_t list_count, list_room;
};

struct oci_blobs *oci_blobs_new(const struct archive_reader *reader)
{
	struct oci_blobs *blobs = calloc(1, sizeof(*blobs));

	if (blobs)
		blobs->reader = reader;
	return blobs;
}

void oci_blobs_free(struct oci_blobs *blobs)
{
	if (!blobs)
		return;
	if (blobs->index)
		manifest_free(blobs->index->parsed);
	map_foreach (&blobs->manifests, slot)
		manifest_free(((struct oci_manifest *)slot->value)->parsed);
	map_release(&blobs->manifests);
	map_release(&blobs->listed);
	free(blobs->blobs);
	free(blobs->list);
	arena_release(&blobs->arena);
	free(blobs);
}

/* Reads the bytes and computes their digest. */
static int read_manifest(struct oci_blobs *blobs,
    const struct archive_entry *entry, enum digest_algorithm algorithm,
    struct archive_manifest *out, struct err *err)
{
	size_t room = MANIFESTS_MAX_BYTES - blobs->manifest_bytes;
	int r = read_file(blobs->reader, entry, room, &blobs->arena, &out->data,
	    err);

	if (r < 0)
		return r;
	out->len = (size_t)entry->size;
	blobs->manifest_bytes += out->len;
	return digest_of(algorithm, out->data, out->len, &out->digest, err);
}

static int parse_manifest(struct oci_manifest *manifest, const char *name,
    const char *media_type, struct err *err)
{
	struct archive_manifest *public = &manifest->manifest;

	if (manifest_parse(public->data, public->len, media_type,
		&manifest->parsed, err) < 0)
		return err_wrap(err, "%s", name);
	public->manifest = manifest->parsed;
	public->media_type = manifest->parsed->media_type;
	return 0;
}

int oci_blobs_load_index(struct oci_blobs *blobs,
    const struct archive_entry *json, struct oci_manifest **out,
    struct err *err)
{
	int r;

	blobs->index = arena_alloc(&blobs->arena, sizeof(*blobs->index));
	if (!blobs->index)
		return err_nomem(err);
	*out = blobs->index;
	r = read_manifest(blobs, json, DIGEST_SHA256, &blobs->index->manifest,
	    err);
	if (r < 0)
		return r;
	return parse_manifest(blobs->index, json->name, MEDIA_OCI_INDEX, err);
}

int oci_blobs_find(const struct oci_blobs *blobs,
    const struct descriptor *descriptor, struct archive_entry *out,
    struct err *err)
{
	char name[BLOB_PATH_SIZE];

	blob_path(&descriptor->digest, name);
	if (!archive_reader_find(blobs->reader, name, out))
		return 0;
	if (out->size != descriptor->size)
		return err_set(err, EINVAL,
		    "%s has %" PRIu64 " bytes, but should have %" PRIu64, name,
		    out->size, descriptor->size);
	if (digest_check_size(&descriptor->digest, out->size, err) < 0) {
		err->code = EINVAL;
		return -EINVAL;
	}
	return 1;
}

int oci_blobs_load(struct oci_blobs *blobs, const struct descriptor *descriptor,
    struct oci_manifest **out, struct err *err)
{
	char key[DIGEST_TEXT_SIZE], got[DIGEST_TEXT_SIZE];
	struct archive_entry entry;
	struct oci_manifest *new;
	int r;

	*out =
	    map_get(&blobs->manifests, digest_format(&descriptor->digest, key));
	if (*out)
		return 0;
	r = oci_blobs_find(blobs, descriptor, &entry, err);
	if (r <= 0)
		return r;
	new = arena_alloc(&blobs->arena, sizeof(*new));
	if (!new)
		return err_nomem(err);
	/* From here on the map owns what is parsed. */
	if (map_put(&blobs->manifests, key, new) < 0)
		return err_nomem(err);
	r = read_manifest(blobs, &entry, descriptor->digest.algorithm,
	    &new->manifest, err);
	if (r < 0)
		return r;
	if (!digest_equal(&new->manifest.digest, &descriptor->digest))
		return err_set(err, EINVAL, "%s has the digest %s", entry.name,
		    digest_format(&new->manifest.digest, got));
	*out = new;
	return parse_manifest(new, entry.name, descriptor->media_type, err);
}

/* The list with room for one more; NULL when out of memory. */
static void *grow(void *list, size_t *room, size_t count, size_t size)
{
	size_t more = *room ? *room * 2 : 16;

	if (count < *room)
		return list;
	list = reallocarray(list, more, size);
	if (list)
		*room = more;
	return list;
}

/* Lists a blob that is there, once. */
static int list_blob(struct oci_blobs *blobs,
    const struct descriptor *descriptor, struct err *err)
{
	struct archive_blob blob = {.descriptor = descriptor}, *list;
	char key[DIGEST_TEXT_SIZE];
	int r;

	if (map_get(&blobs->listed, digest_format(&descriptor->digest, key)))
		return 0;
	r = oci_blobs_find(blobs, descriptor, &blob.entry, err);
	if (r <= 0)
		return r;
	list = grow(blobs->blobs, &blobs->blob_room, blobs->blob_count,
	    sizeof(*list));
	if (!list)
		return err_nomem(err);
	blobs->blobs = list;
	if (map_put(&blobs->listed, key, blobs) < 0)
		return err_nomem(err);
	list[blobs->blob_count++] = blob;
	return 0;
}

static int list_image(struct oci_blobs *blobs, const struct manifest *image,
    struct err *err)
{
	int r = 0;

	if (digest_is_set(&image->config.digest))
		r = list_blob(blobs, &image->config, err);
	for (size_t i = 0; i < image->entry_count && r == 0; i++)
		r = list_blob(blobs, &image->entries[i], err);
	return r;
}

static int list_index(struct oci_blobs *blobs, const struct manifest *index,
    struct err *err)
{
	for (size_t i = 0; i < index->entry_count; i++) {
		struct oci_manifest *manifest;
		int r =
		    oci_blobs_load(blobs, &index->entries[i], &manifest, err);

		if (r == 0)
			r = oci_blobs_list(blobs, manifest, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int oci_blobs_list(struct oci_blobs *blobs, struct oci_manifest *manifest,
    struct err *err)
{
	struct archive_manifest *list;
	int r;

	if (manifest->listed)
		return 0;
	manifest->listed = true;
	if (manifest->parsed->kind == MANIFEST_INDEX)
		r = list_index(blobs, manifest->parsed, err);
	else
		r = list_image(blobs, manifest->parsed, err);
	if (r < 0)
		return r;
	list = grow(blobs->list, &blobs->list_room, blobs->list_count,
	    sizeof(*list));
	if (!list)
		return err_nomem(err);
	blobs->list = list;
	list[blobs->list_count++] = manifest->manifest;
	return 0;
}

void oci_blobs_fill(const struct oci_blobs *blobs,
    struct archive_contents *contents)
{
	contents->kind = ARCHIVE_OCI;
	contents->blobs = blobs->blobs;
	contents->blob_count = blobs->blob_count;
	contents->manifests = blobs->list;
	contents->manifest_count = blobs->list_count;
}
