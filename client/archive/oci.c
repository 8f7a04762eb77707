/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI layouts, image-spec image-layout.md: which of the images that index.json
 * names is meant, and in which form it is taken.
 */
#include <errno.h>
#include <string.h>

#include "choice.h"
#include "draft.h"
#include "read.h"

/* An entry of index.json that is no attestation. */
struct image_entry {
	const struct descriptor *descriptor;
	char digest[DIGEST_TEXT_SIZE];
	struct image_name names[LAYOUT_MAX_NAMES];
	size_t name_count;
};

/* The entries that are images; *out has room for all. How many. */
static size_t image_entries(const struct manifest *index,
    struct image_entry *out)
{
	size_t count = 0;

	for (size_t i = 0; i < index->entry_count; i++) {
		const struct descriptor *descriptor = &index->entries[i];
		struct image_entry *entry = &out[count];

		if (descriptor_is_attestation(descriptor))
			continue;
		entry->descriptor = descriptor;
		digest_format(&descriptor->digest, entry->digest);
		entry->name_count = layout_names(descriptor, entry->names);
		count++;
	}
	return count;
}

static bool same_name(const struct image_entry *a, const struct image_entry *b)
{
	if (a->name_count == 0 || b->name_count == 0)
		return a->name_count == b->name_count;
	return strcmp(a->names[0].text, b->names[0].text) == 0;
}

/* Whether they are one image for several platforms, so that index.json is the
 * index that is meant. */
static bool are_platforms(const struct image_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!entries[i].descriptor->platform.os[0] ||
		    !same_name(&entries[i], &entries[0]))
			return false;
	return count > 1;
}

static int choose_entry(const struct image_entry *entries, size_t count,
    const char *tag, const struct descriptor **out, struct err *err)
{
	AUTO_FREE struct choice *choices = calloc(count, sizeof(*choices));
	size_t found;
	int r;

	if (!choices)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++)
		choices[i] = (struct choice){entries[i].digest,
		    entries[i].names, entries[i].name_count};
	r = choice_make(choices, count, tag, &found, err);
	if (r == 0)
		*out = entries[found].descriptor;
	return r;
}

static int load(struct draft *draft, const struct descriptor *descriptor,
    struct oci_manifest **out, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	int r = oci_blobs_load(draft->blobs, descriptor, out, err);

	if (r == 0 && !*out)
		return err_set(err, EINVAL, "the archive lacks the manifest %s",
		    digest_format(&descriptor->digest, text));
	return r;
}

/* What index.json says is meant: one of its entries, or itself. */
static int choose(struct draft *draft, struct oci_manifest *index,
    struct oci_manifest **out, struct err *err)
{
	AUTO_FREE struct image_entry *entries =
	    calloc(index->parsed->entry_count + 1, sizeof(*entries));
	const struct descriptor *descriptor = NULL;
	size_t count;
	int r;

	if (!entries)
		return err_nomem(err);
	count = image_entries(index->parsed, entries);
	if (count == 0)
		return err_set(err, EINVAL, "index.json names no image");
	if (are_platforms(entries, count)) {
		*out = index;
		return 0;
	}
	r = choose_entry(entries, count, draft->tag, &descriptor, err);
	if (r < 0)
		return r;
	return load(draft, descriptor, out, err);
}

/*
 * The one image that an index of several has here, else NULL. Docker saves so
 * what it has of an image for many platforms. No registry takes an index
 * without its images, so the one is pushed alone, as Docker does it.
 */
static int only_image(struct draft *draft, const struct manifest *index,
    struct oci_manifest **out, struct err *err)
{
	size_t there = 0, missing = 0;

	for (size_t i = 0; i < index->entry_count; i++) {
		struct oci_manifest *manifest;
		int r;

		if (descriptor_is_attestation(&index->entries[i]))
			continue;
		r = oci_blobs_load(draft->blobs, &index->entries[i], &manifest,
		    err);
		if (r == 0 && manifest)
			r = oci_blobs_complete(draft->blobs, manifest, err);
		if (r < 0)
			return r;
		there += r == 1;
		missing += r == 0;
		if (r == 1)
			*out = manifest;
	}
	if (there != 1 || missing == 0)
		*out = NULL;
	return 0;
}

/* Goes down from an index to the image that is pushed alone, if so. */
static int narrow(struct draft *draft, struct oci_manifest **manifest,
    struct err *err)
{
	while ((*manifest)->parsed->kind == MANIFEST_INDEX) {
		struct oci_manifest *only = NULL;
		int r = only_image(draft, (*manifest)->parsed, &only, err);

		if (r < 0 || !only)
			return r;
		*manifest = only;
	}
	return 0;
}

/*
 * The layers of an image whose bytes are all there: 1 if one of them is a plain
 * tar, which is worth a manifest of our own, 0 if not.
 */
static int find_plain_layers(struct draft *draft, const struct manifest *image,
    struct archive_layer *layers, struct err *err)
{
	bool plain = false;

	for (size_t i = 0; i < image->entry_count; i++) {
		struct archive_entry *entry = &layers[i].entry;
		char head[TAR_BLOCK];
		ssize_t n = oci_blobs_find(draft->blobs, &image->entries[i],
		    entry, err);

		if (n <= 0)
			return (int)n;
		n = read_head(draft->reader, entry, head, err);
		if (n < 0)
			return (int)n;
		plain |= tar_sniff(head, (size_t)n);
	}
	return plain;
}

static int check_config(const struct draft *draft,
    const struct descriptor *config, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	struct digest digest;
	int r = digest_of(config->digest.algorithm, draft->contents.config_data,
	    draft->contents.config_len, &digest, err);

	if (r == 0 && !digest_equal(&digest, &config->digest))
		return err_set(err, EINVAL,
		    "the config is not the %s that its manifest names",
		    digest_format(&config->digest, text));
	return r;
}

/* 1 if it was taken as an image that gets a manifest of ours, 0 if not. */
static int take_plain(struct draft *draft, const struct manifest *image,
    struct err *err)
{
	struct archive_layer *layers;
	struct archive_entry config;
	int r;

	if (image->kind != MANIFEST_IMAGE || !manifest_is_image(image))
		return 0;
	layers =
	    arena_array(&draft->arena, image->entry_count, sizeof(*layers));
	if (!layers)
		return err_nomem(err);
	r = find_plain_layers(draft, image, layers, err);
	if (r == 1)
		r = oci_blobs_find(draft->blobs, &image->config, &config, err);
	if (r <= 0)
		return r;
	r = draft_set_image(draft, &config, layers, image->entry_count, err);
	if (r == 0)
		r = check_config(draft, &image->config, err);
	return r < 0 ? r : 1;
}

static int take_manifests(struct draft *draft, struct oci_manifest *manifest,
    struct err *err)
{
	int r = oci_blobs_list(draft->blobs, manifest, err);

	if (r == 0)
		oci_blobs_fill(draft->blobs, &draft->contents);
	return r;
}

int oci_take(struct draft *draft, const struct archive_entry *json,
    struct err *err)
{
	struct oci_manifest *index, *chosen;
	int r;

	draft->blobs = oci_blobs_new(draft->reader);
	if (!draft->blobs)
		return err_nomem(err);
	r = oci_blobs_load_index(draft->blobs, json, &index, err);
	if (r == 0)
		r = choose(draft, index, &chosen, err);
	if (r == 0)
		r = narrow(draft, &chosen, err);
	if (r == 0)
		r = oci_blobs_complete(draft->blobs, chosen, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, EINVAL, "the archive lacks %s",
		    oci_blobs_missing(draft->blobs));
	r = take_plain(draft, chosen->parsed, err);
	return r == 0 ? take_manifests(draft, chosen, err) : r < 0 ? r : 0;
}
