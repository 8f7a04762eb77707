/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests put as they stand, and indexes with another platform. */
#include <errno.h>
#include <string.h>

#include "changing.h"
#include "image/change.h"
#include "oci/artifact.h"
#include "oci/edit.h"
#include "push/blob.h"

static int check_blob(const struct tag_ref *target,
    const struct descriptor *blob, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	int r;

	if (blob->has_urls)
		return 0;
	r = push_blob_find(target, &blob->digest, blob->size, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return err_set(err, EINVAL,
	    "the manifest names the blob %s of %llu bytes, which %s does not "
	    "have",
	    digest_format(&blob->digest, text), (unsigned long long)blob->size,
	    target->repository);
}

static int check_manifest(const struct tag_ref *target,
    const struct descriptor *entry, struct err *err)
{
	struct digest there;
	char text[DIGEST_TEXT_SIZE];
	int r = source_manifest_head(images_source(target->images),
	    target->repository, digest_format(&entry->digest, text), &there,
	    err);

	return r == -ENOENT ? err_set(err, EINVAL,
				  "the index names the manifest %s, which %s "
				  "does not have",
				  text, target->repository)
			    : r;
}

/* Registries differ in what they look at: what it names has to be there. */
static int check_named(const struct tag_ref *target,
    const struct manifest *manifest, struct err *err)
{
	bool is_index = manifest->kind == MANIFEST_INDEX;
	int r = 0;

	if (!is_index && digest_is_set(&manifest->config.digest))
		r = check_blob(target, &manifest->config, err);
	for (size_t i = 0; i < manifest->entry_count && r == 0; i++)
		r = is_index
			? check_manifest(target, &manifest->entries[i], err)
			: check_blob(target, &manifest->entries[i], err);
	return r;
}

int change_manifest(const struct tag_ref *target, const void *data, size_t len,
    bool is_top, struct err *err)
{
	CLEANUP(changing_end) struct changing changing = {.target = target};
	CLEANUP(manifest_free_p) struct manifest *manifest = NULL;
	struct digest digest;
	int r = manifest_parse(data, len, NULL, &manifest, err);

	if (r == 0)
		r = check_named(target, manifest, err);
	if (r < 0)
		return r;
	if (is_top || manifest->kind == MANIFEST_INDEX)
		return changing_put_bytes(target, data, len,
		    manifest->media_type, &digest, err);
	r = changing_begin_image(&changing, err);
	return r < 0 ? r
		     : changing_put_image(&changing, data, len,
			   manifest->media_type, &digest, err);
}

/* The image that was given, as an entry of an index. */
static int platform_entry(const struct tag_ref *target,
    const struct digest *digest, const struct platform *platform,
    struct image **out, struct descriptor *entry, struct err *err)
{
	char want[PLATFORM_TEXT_SIZE], has[PLATFORM_TEXT_SIZE];
	const struct config *config = NULL;
	int r =
	    image_open(target->images, target->repository, digest, out, err);

	if (r == 0)
		r = image_config(*out, &config, err);
	if (r < 0)
		return r;
	if (!config || !*config->platform.os)
		return err_set(err, EINVAL,
		    "the image's config names no platform");
	if (!platform)
		platform = &config->platform;
	if (platform_match(platform, &config->platform) == 0)
		return err_set(err, EINVAL, "the image is for %s, not for %s",
		    platform_format(&config->platform, '/', has),
		    platform_format(platform, '/', want));
	*entry = (struct descriptor){.media_type = (*out)->manifest->media_type,
	    .digest = (*out)->digest,
	    .size = (*out)->len,
	    .platform = *platform};
	return 0;
}

/* An index of the one image that the tag names. */
static int index_of(struct image *image, struct buf *out, struct err *err)
{
	const struct config *config = NULL;
	struct descriptor entry = {.media_type = image->manifest->media_type,
	    .digest = image->digest,
	    .size = image->len};
	int r = image_config(image, &config, err);

	if (r < 0)
		return r;
	if (!config)
		return err_set(err, EINVAL, "the tag does not name an image");
	entry.platform = config->platform;
	r = index_add(out, NULL, 0, &entry, err);
	return r < 0 ? r : 0;
}

static int set_platform(const struct buf *index, const struct descriptor *entry,
    struct buf *out, struct err *err)
{
	CLEANUP(manifest_free_p) struct manifest *parsed = NULL;
	int r = manifest_parse(index->data, index->len, NULL, &parsed, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < parsed->entry_count; i++) {
		const struct descriptor *there = &parsed->entries[i];
		char a[PLATFORM_TEXT_SIZE], b[PLATFORM_TEXT_SIZE];

		if (!descriptor_is_attestation(there) &&
		    strcmp(platform_format(&there->platform, '/', a),
			platform_format(&entry->platform, '/', b)) == 0)
			return index_replace_at(out, index->data, index->len, i,
			    entry, err);
	}
	r = index_add(out, index->data, index->len, entry, err);
	if (r == 0)
		r = buf_add(out, index->data, index->len, err);
	return r < 0 ? r : 0;
}

int change_platform(const struct tag_ref *target, const struct digest *digest,
    const struct platform *platform, struct err *err)
{
	CLEANUP(changing_end) struct changing changing = {.target = target};
	CLEANUP(image_put_p) struct image *image = NULL;
	AUTO_BUF struct buf before = BUF_INIT(MANIFEST_MAX_BYTES);
	AUTO_BUF struct buf index = BUF_INIT(MANIFEST_MAX_BYTES);
	struct descriptor entry;
	struct digest put;
	bool is_index;
	int r = platform_entry(target, digest, platform, &image, &entry, err);

	if (r == 0)
		r = changing_begin(&changing, err);
	if (r < 0)
		return r;
	is_index = changing.top->manifest->kind == MANIFEST_INDEX;
	r = is_index
		? buf_add(&before, changing.top->data, changing.top->len, err)
		: index_of(changing.top, &before, err);
	if (r == 0)
		r = set_platform(&before, &entry, &index, err);
	return r < 0 ? r
		     : changing_put_bytes(target, index.data, index.len,
			   is_index ? changing.top->manifest->media_type
				    : MEDIA_OCI_INDEX,
			   &put, err);
}
