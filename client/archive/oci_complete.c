/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an OCI layout has all that its manifests name. */
#include "oci_complete.h"

#include <errno.h>
#include <stdio.h>

/* Of an index in an index; nobody makes more than two. */
enum { DEPTH_MAX = 8 };

/* Whose it is that an entry of an index names; NULL: it does not say. */
static const char *entry_title(const struct descriptor *entry,
    char out[PLATFORM_TEXT_SIZE])
{
	if (!entry || descriptor_is_attestation(entry))
		return entry ? "an attestation" : NULL;
	return *entry->platform.os ? platform_format(&entry->platform, '/', out)
				   : NULL;
}

/* Notes the first thing that is missing. entry: of the index by which it was
 * reached, or NULL. */
static void note_first(struct oci_survey *survey, const char *what,
    const struct digest *digest, const struct descriptor *entry)
{
	char text[DIGEST_TEXT_SIZE], platform[PLATFORM_TEXT_SIZE];
	const char *title = entry_title(entry, platform);

	if (!survey->lacking[0])
		snprintf(survey->lacking, sizeof(survey->lacking),
		    "the %s %s%s%s", what, digest_format(digest, text),
		    title ? " of " : "", title ? title : "");
}

/* Notes whose manifest, or what it names, is missing. */
static void note_platform(struct oci_survey *survey,
    const struct descriptor *entry)
{
	char text[DIGEST_TEXT_SIZE], platform[PLATFORM_TEXT_SIZE];
	const char *title = entry_title(entry, platform);

	if (descriptor_is_attestation(entry)) {
		if (survey->attestation)
			return;
		survey->attestation = true;
	}
	if (!list_add(&survey->platforms,
		title ? title : digest_format(&entry->digest, text)))
		survey->more = true;
}

static int blob_there(struct oci_blobs *blobs, const char *what,
    const struct descriptor *blob, const struct descriptor *entry,
    struct oci_survey *survey, struct err *err)
{
	struct archive_entry file;
	int r = oci_blobs_find(blobs, blob, &file, err);

	if (r != 0 || blob->has_urls)
		return r < 0 ? r : 1;
	note_first(survey, what, &blob->digest, entry);
	return 0;
}

static int image_complete(struct oci_blobs *blobs, const struct manifest *image,
    const struct descriptor *entry, struct oci_survey *survey, struct err *err)
{
	int r = 1;

	if (digest_is_set(&image->config.digest))
		r = blob_there(blobs, "config", &image->config, entry, survey,
		    err);
	for (size_t i = 0; i < image->entry_count && r == 1; i++)
		r = blob_there(blobs, "layer", &image->entries[i], entry,
		    survey, err);
	return r;
}

static int complete(struct oci_blobs *blobs, struct oci_manifest *manifest,
    const struct descriptor *entry, unsigned depth, struct oci_survey *survey,
    struct err *err);

/* The same of what an entry of an index names. */
static int entry_complete(struct oci_blobs *blobs,
    const struct descriptor *entry, unsigned depth, struct oci_survey *survey,
    struct err *err)
{
	struct oci_manifest *manifest;
	int r = oci_blobs_load(blobs, entry, &manifest, err);

	if (r < 0)
		return r;
	if (manifest)
		r = complete(blobs, manifest, entry, depth, survey, err);
	else
		note_first(survey, "manifest", &entry->digest, entry);
	/* An index has noted those of its own entries. */
	if (r == 0 && !(manifest && manifest->parsed->kind == MANIFEST_INDEX))
		note_platform(survey, entry);
	return r;
}

static int index_complete(struct oci_blobs *blobs, const struct manifest *index,
    unsigned depth, struct oci_survey *survey, struct err *err)
{
	size_t found = 0;

	if (depth == DEPTH_MAX)
		return err_set(err, EINVAL,
		    "indexes are nested more than %d deep", DEPTH_MAX);
	/* All are looked at, so that all that are missing are named. */
	for (size_t i = 0; i < index->entry_count; i++) {
		int r = entry_complete(blobs, &index->entries[i], depth + 1,
		    survey, err);

		if (r < 0)
			return r;
		found += r == 1;
	}
	return found == index->entry_count;
}

/* Notes the image that is looked for. */
static int note_image(struct oci_blobs *blobs, struct oci_manifest *manifest,
    struct oci_survey *survey, struct err *err)
{
	const struct descriptor *config = &manifest->parsed->config;
	bool found = survey->image && survey->image->complete == COMPLETE_YES;
	struct archive_entry file;
	int r = 0;

	if (survey->config && !found && digest_is_set(&config->digest))
		r = oci_blobs_find(blobs, config, &file, err);
	if (r == 1 && file.offset == survey->config->offset &&
	    (!survey->image || manifest->complete == COMPLETE_YES))
		survey->image = manifest;
	return r < 0 ? r : 0;
}

/* Each manifest is looked at once, however many name it. */
static int complete(struct oci_blobs *blobs, struct oci_manifest *manifest,
    const struct descriptor *entry, unsigned depth, struct oci_survey *survey,
    struct err *err)
{
	int found, r = 0;

	if (manifest->complete != COMPLETE_UNKNOWN)
		return manifest->complete == COMPLETE_YES;
	if (manifest->parsed->kind == MANIFEST_INDEX)
		found =
		    index_complete(blobs, manifest->parsed, depth, survey, err);
	else
		found =
		    image_complete(blobs, manifest->parsed, entry, survey, err);
	if (found < 0)
		return found;
	manifest->complete = found ? COMPLETE_YES : COMPLETE_NO;
	if (manifest->parsed->kind == MANIFEST_IMAGE)
		r = note_image(blobs, manifest, survey, err);
	return r < 0 ? r : found;
}

int oci_complete(struct oci_blobs *blobs, struct oci_manifest *manifest,
    struct oci_survey *survey, struct err *err)
{
	/* What an image lacks is looked for again, with its index or not. */
	if (manifest->parsed->kind == MANIFEST_IMAGE)
		return image_complete(blobs, manifest->parsed, NULL, survey,
		    err);
	return complete(blobs, manifest, NULL, 0, survey, err);
}
