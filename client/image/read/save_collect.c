/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into an archive of an image, and what cannot. */
#include "save_collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Half of what a line of the log has room for. */
	LACKING_MAX = 512,
	/* Of all manifests of an index, which are held at once: ten thousand of
	 * some platforms' images, with their annotations. */
	COLLECTION_MAX_BYTES = 32 << 20,
};

void save_collection_release(struct save_collection *collection)
{
	for (size_t i = 0; i < collection->count; i++)
		image_put(collection->images[i]);
	free(collection->images);
	free(collection->absent);
	map_release(&collection->seen);
	map_release(&collection->asked);
	buf_release(&collection->lacking);
}

static int note_seen(struct save_collection *collection,
    const struct digest *digest, void *what, struct err *err)
{
	char key[DIGEST_TEXT_SIZE];

	if (collection->seen.count > MANIFEST_MAX_ENTRIES)
		return err_set(err, EFBIG, "too many manifests");
	return map_put(&collection->seen, digest_format(digest, key), what) < 0
		   ? err_nomem(err)
		   : 0;
}

/* Takes the image. */
static int add_image(struct save_collection *collection, struct image *image,
    struct err *err)
{
	if (collection->count == collection->room) {
		size_t room = collection->room ? collection->room * 2 : 16;
		struct image **images =
		    reallocarray(collection->images, room, sizeof(*images));

		if (!images) {
			image_put(image);
			return err_nomem(err);
		}
		collection->images = images;
		collection->room = room;
	}
	collection->images[collection->count++] = image;
	collection->bytes += image->len;
	if (collection->bytes > COLLECTION_MAX_BYTES)
		return err_set(err, EFBIG,
		    "%zu manifests of %llu bytes and more: too many for an "
		    "archive",
		    collection->count, (unsigned long long)collection->bytes);
	return note_seen(collection, &image->digest, image, err);
}

static void note_lacking(struct save_collection *collection,
    const struct descriptor *entry)
{
	struct buf *lacking = &collection->lacking;
	char digest[DIGEST_TEXT_SIZE], platform[PLATFORM_TEXT_SIZE];

	if (buf_addf(lacking, ERR_IGNORE, "%s%s (%s)",
		lacking->len > 0 ? ", " : "",
		digest_format(&entry->digest, digest),
		platform_format(&entry->platform, '/', platform)) < 0)
		collection->lacks_more = true;
}

/* The first fault stays. */
static void note_fault(struct save_collection *collection,
    const struct err *fault)
{
	if (!collection->fault.code)
		collection->fault = *fault;
}

/* Readers of the archive compare the sizes that its index gives. */
static void check_entry(struct save_collection *collection,
    const struct descriptor *entry, const struct image *image)
{
	char text[DIGEST_TEXT_SIZE];
	struct err fault = ERR_INIT;

	if (entry->size == image->len)
		return;
	err_set(&fault, EBADMSG,
	    "the manifest %s has %zu bytes, not %llu as its index says",
	    digest_format(&image->digest, text), image->len,
	    (unsigned long long)entry->size);
	note_fault(collection, &fault);
}

static int collect_entry(struct save_collection *collection,
    struct image *index, const struct descriptor *entry, struct err *err)
{
	struct image *image = NULL;
	struct err failure = ERR_INIT;
	int r = image_open(index->images, index->repository, &entry->digest,
	    &image, &failure);

	if (r == -ENOENT) {
		note_lacking(collection, entry);
		return note_seen(collection, &entry->digest, collection, err);
	}
	if (r < 0) {
		*err = failure;
		return r;
	}
	check_entry(collection, entry, image);
	return add_image(collection, image, err);
}

/* The same of one that the collection may have. */
static int collect_once(struct save_collection *collection, struct image *index,
    const struct descriptor *entry, struct err *err)
{
	char key[DIGEST_TEXT_SIZE];
	const void *seen =
	    map_get(&collection->seen, digest_format(&entry->digest, key));

	if (!seen)
		return collect_entry(collection, index, entry, err);
	if (seen != collection)
		check_entry(collection, entry, seen);
	return 0;
}

/* Adds the entries of the indexes in the collection, which grows meanwhile. */
static int collect_entries(struct save_collection *collection, struct err *err)
{
	for (size_t i = 0; i < collection->count; i++) {
		struct image *index = collection->images[i];
		const struct manifest *manifest = index->manifest;

		if (manifest->kind != MANIFEST_INDEX)
			continue;
		for (size_t k = 0; k < manifest->entry_count; k++) {
			int r = collect_once(collection, index,
			    &manifest->entries[k], err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Which of the collection is the platform's image. */
static size_t find_docker(const struct save_collection *collection)
{
	CLEANUP(image_put_p) struct image *image = NULL;

	if (image_platform(collection->images[0], &image, ERR_IGNORE) < 0 ||
	    !manifest_is_image(image->manifest))
		return SIZE_MAX;
	for (size_t i = 0; i < collection->count; i++) {
		if (digest_equal(&collection->images[i]->digest,
			&image->digest))
			return i;
	}
	return SIZE_MAX;
}

static int add_absent(struct save_collection *collection,
    const struct digest *digest, struct err *err)
{
	size_t count = collection->absent_count;
	struct digest *absent =
	    reallocarray(collection->absent, count + 1, sizeof(*absent));

	if (!absent)
		return err_nomem(err);
	absent[count] = *digest;
	collection->absent = absent;
	collection->absent_count++;
	return 0;
}

/* Asks the registry, once. */
static int check_foreign(struct save_collection *collection,
    const struct image *image, const struct descriptor *blob, struct err *err)
{
	char key[DIGEST_TEXT_SIZE];
	int r;

	if (map_get(&collection->asked, digest_format(&blob->digest, key)))
		return 0;
	if (map_put(&collection->asked, key, collection) < 0)
		return err_nomem(err);
	r = image_has_blob(image, blob, err);
	if (r == 0)
		return add_absent(collection, &blob->digest, err);
	return r < 0 ? r : 0;
}

static int check_blob(struct save_collection *collection,
    const struct image *image, const struct descriptor *blob, struct err *err)
{
	struct err fault = ERR_INIT;

	if (digest_check_size(&blob->digest, blob->size, &fault) < 0)
		note_fault(collection, &fault);
	return blob->has_urls ? check_foreign(collection, image, blob, err) : 0;
}

static int check_blobs(struct save_collection *collection,
    const struct image *image, struct err *err)
{
	const struct manifest *manifest = image->manifest;
	int r = 0;

	if (manifest->kind == MANIFEST_INDEX)
		return 0;
	if (digest_is_set(&manifest->config.digest))
		r = check_blob(collection, image, &manifest->config, err);
	for (size_t i = 0; i < manifest->entry_count && r == 0; i++)
		r = check_blob(collection, image, &manifest->entries[i], err);
	return r;
}

int save_collect(struct image *image, struct save_collection *out,
    struct err *err)
{
	int r;

	*out = (struct save_collection){.lacking = BUF_INIT(LACKING_MAX)};
	r = add_image(out, image_get(image), err);
	if (r == 0)
		r = collect_entries(out, err);
	for (size_t i = 0; i < out->count && r == 0; i++)
		r = check_blobs(out, out->images[i], err);
	if (r == 0)
		out->docker = find_docker(out);
	return r;
}
