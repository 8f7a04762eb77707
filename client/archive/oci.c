/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI layouts, image-spec image-layout.md: which of the images that index.json
 * names is meant, and in which form it is taken.
 */
#include <errno.h>
#include <string.h>

#include "base/strf.h"
#include "choice.h"
#include "draft.h"
#include "oci_complete.h"
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
    const struct archive_wanted *wanted, const struct descriptor **out,
    struct err *err)
{
	AUTO_FREE struct choice *choices = calloc(count, sizeof(*choices));
	size_t found;
	int r;

	if (!choices)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++)
		choices[i] = (struct choice){entries[i].digest,
		    entries[i].names, entries[i].name_count};
	r = choice_make(choices, count, wanted, &found, err);
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
	r = choose_entry(entries, count, draft->wanted, &descriptor, err);
	if (r < 0)
		return r;
	return load(draft, descriptor, out, err);
}

static int refuse_incomplete(const struct oci_survey *survey, struct err *err)
{
	return err_set(err, EINVAL, "the archive lacks %s", survey->lacking);
}

/*
 * Takes the one image that docker means in the place of an index that is not
 * complete: docker saves the index of an image for many platforms, but only
 * those that it has. No registry takes an index without its images.
 */
static int narrow(struct draft *draft, const struct oci_survey *survey,
    struct oci_manifest **chosen, struct err *err)
{
	CLEANUP(oci_survey_release)
	struct oci_survey of_image = OCI_SURVEY_INIT;
	AUTO_FREE char *left_out = strf("%s%s", buf_str(&survey->platforms),
	    survey->more ? ", …" : "");
	int r;

	if (!survey->image)
		return refuse_incomplete(survey, err);
	r = oci_complete(draft->blobs, survey->image, &of_image, err);
	if (r < 0)
		return r;
	if (r == 0)
		return refuse_incomplete(&of_image, err);
	if (left_out)
		draft->contents.left_out =
		    arena_strdup(&draft->arena, left_out);
	if (!draft->contents.left_out)
		return err_nomem(err);
	*chosen = survey->image;
	return 0;
}

/* All of what was chosen is there, or all of what takes its place. docker: the
 * image that manifest.json means, if there is one. */
static int check_complete(struct draft *draft,
    const struct docker_archive_image *docker, struct oci_manifest **chosen,
    struct err *err)
{
	CLEANUP(oci_survey_release)
	struct oci_survey survey = OCI_SURVEY_INIT;
	struct archive_entry config;
	int r;

	if (docker &&
	    archive_reader_find(draft->reader, docker->config, &config))
		survey.config = &config;
	r = oci_complete(draft->blobs, *chosen, &survey, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return narrow(draft, &survey, chosen, err);
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

int oci_read(struct draft *draft, const struct archive_entry *json,
    struct oci_manifest **out, struct err *err)
{
	draft->blobs = oci_blobs_new(draft->reader);
	if (!draft->blobs)
		return err_nomem(err);
	return oci_blobs_load_index(draft->blobs, json, out, err);
}

int oci_choose(struct draft *draft, const struct archive_entry *json,
    struct oci_manifest **out, struct err *err)
{
	struct oci_manifest *index;
	int r = oci_read(draft, json, &index, err);

	return r < 0 ? r : choose(draft, index, out, err);
}

int oci_contents(struct draft *draft, struct oci_manifest *chosen,
    const struct docker_archive_image *docker, struct err *err)
{
	int r = check_complete(draft, docker, &chosen, err);

	if (r == 0)
		r = take_plain(draft, chosen->parsed, err);
	return r == 0 ? take_manifests(draft, chosen, err) : r < 0 ? r : 0;
}
