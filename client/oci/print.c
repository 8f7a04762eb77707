/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and configs of the images that this program makes. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "oci/artifact.h"
#include "oci/config.h"
#include "oci/manifest.h"
#include "print.h"
#include "json/document.h"

/* NULL when out of memory, as all that jansson makes. */
static json_t *annotations_json(const struct descriptor *descriptor)
{
	json_auto_t *members = json_object();

	for (size_t i = 0; i < descriptor->annotation_count; i++)
		if (json_object_set_new(members,
			descriptor->annotations[i].name,
			json_string(descriptor->annotations[i].value)) < 0)
			return NULL;
	return steal(&members);
}

static json_t *platform_json(const struct platform *platform)
{
	return json_pack("{s:s, s:s, s:s*}", "architecture",
	    platform->architecture, "os", platform->os, "variant",
	    *platform->variant ? platform->variant : NULL);
}

json_t *descriptor_json(const struct descriptor *descriptor)
{
	char text[DIGEST_TEXT_SIZE];
	json_auto_t *members = NULL;

	assert(descriptor->size <= DESCRIPTOR_MAX_SIZE);
	members = json_pack("{s:s, s:s, s:I, s:s*}", "mediaType",
	    descriptor->media_type, "digest",
	    digest_format(&descriptor->digest, text), "size",
	    (json_int_t)descriptor->size, "artifactType",
	    descriptor->artifact_type);
	if (*descriptor->platform.os &&
	    json_object_set_new(members, "platform",
		platform_json(&descriptor->platform)) < 0)
		return NULL;
	if (descriptor->annotation_count &&
	    json_object_set_new(members, "annotations",
		annotations_json(descriptor)) < 0)
		return NULL;
	return steal(&members);
}

/* In the order of docker's engine. */
static json_t *docker_descriptor_json(const struct descriptor *descriptor)
{
	char text[DIGEST_TEXT_SIZE];

	return json_pack("{s:s, s:I, s:s}", "mediaType", descriptor->media_type,
	    "size", (json_int_t)descriptor->size, "digest",
	    digest_format(&descriptor->digest, text));
}

typedef json_t *descriptor_json_fn(const struct descriptor *descriptor);

static json_t *descriptors_json(descriptor_json_fn *one,
    const struct descriptor *descriptors, size_t count)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(list, one(&descriptors[i])) < 0)
			return NULL;
	return steal(&list);
}

/* Docker's manifests have the very bytes that its engine pushes, so that an
 * image of the same config and layers has the same digest. */
int manifest_print(struct buf *out, const char *media_type,
    const struct descriptor *config, const struct descriptor *layers,
    size_t layer_count, struct err *err)
{
	bool docker = strcmp(media_type, MEDIA_DOCKER_MANIFEST) == 0;
	descriptor_json_fn *one =
	    docker ? docker_descriptor_json : descriptor_json;
	/* "o" passes a reference on, and fails where it is NULL. */
	json_auto_t *manifest = json_pack("{s:i, s:s, s:o, s:o}",
	    "schemaVersion", 2, "mediaType", media_type, "config", one(config),
	    "layers", descriptors_json(one, layers, layer_count));

	if (!manifest)
		return err_nomem(err);
	return docker ? document_print_indented(manifest, out, err)
		      : document_print(manifest, out, err);
}

int time_format(int64_t seconds, char out[TIME_TEXT_SIZE], struct err *err)
{
	/* RFC 3339 has four digits for a year. */
	static const int64_t year_0 = INT64_C(-62167219200);
	static const int64_t year_10000 = INT64_C(253402300800);
	time_t time = seconds;
	struct tm tm;
	char year[16];

	if (seconds < year_0 || seconds >= year_10000 || !gmtime_r(&time, &tm))
		return err_set(err, EINVAL,
		    "%lld seconds since 1970 is not a time that a config can "
		    "have",
		    (long long)seconds);
	/* strftime() would not pad it. */
	snprintf(year, sizeof(year), "%04d", tm.tm_year + 1900);
	memcpy(out, year, 4);
	strftime(out + 4, TIME_TEXT_SIZE - 4, "-%m-%dT%H:%M:%SZ", &tm);
	return 0;
}

/* Whether JSON can hold the file's annotations: it is UTF-8. */
static bool is_text(const struct descriptor *file)
{
	for (size_t i = 0; i < file->annotation_count; i++) {
		json_auto_t *value = json_string(file->annotations[i].value);

		if (!value)
			return false;
	}
	return true;
}

int artifact_print(struct buf *out, const struct artifact *artifact,
    struct err *err)
{
	struct descriptor config = {.media_type = MEDIA_OCI_EMPTY,
	    .size = strlen(ARTIFACT_CONFIG)};
	char time[TIME_TEXT_SIZE];
	json_auto_t *manifest = NULL;
	int r = time_format(artifact->created, time, err);

	if (r == 0 && !is_text(&artifact->file))
		r = err_set(err, EINVAL, "the name is not UTF-8");
	if (r == 0)
		r = digest_of(DIGEST_SHA256, ARTIFACT_CONFIG, config.size,
		    &config.digest, err);
	if (r < 0)
		return r;
	manifest = json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:{s:s}}",
	    "schemaVersion", 2, "mediaType", MEDIA_OCI_MANIFEST, "artifactType",
	    artifact->artifact_type, "config", descriptor_json(&config),
	    "layers", descriptors_json(descriptor_json, &artifact->file, 1),
	    "subject", descriptor_json(&artifact->subject), "annotations",
	    "org.opencontainers.image.created", time);
	if (!manifest)
		return err_nomem(err);
	return document_print(manifest, out, err);
}

static json_t *digests_json(const struct digest *digests, size_t count)
{
	json_auto_t *list = json_array();
	char text[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(list,
			json_string(digest_format(&digests[i], text))) < 0)
			return NULL;
	return steal(&list);
}

/* One entry a layer: readers count them against the layers. */
static json_t *history_json(const char *created, const char *comment,
    size_t count)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(list,
			json_pack("{s:s, s:s}", "created", created, "comment",
			    comment)) < 0)
			return NULL;
	return steal(&list);
}

int config_print(struct buf *out, const struct platform *platform,
    int64_t created, const struct digest *diff_ids, size_t diff_id_count,
    const char *comment, struct err *err)
{
	char time[TIME_TEXT_SIZE];
	json_auto_t *config = NULL;
	int r = time_format(created, time, err);

	if (r < 0)
		return r;
	config = json_pack("{s:s, s:s, s:s, s:s*, s:{}, s:{s:s, s:o}, s:o}",
	    "created", time, "architecture", platform->architecture, "os",
	    platform->os, "variant",
	    platform->variant[0] ? platform->variant : NULL, "config", "rootfs",
	    "type", "layers", "diff_ids", digests_json(diff_ids, diff_id_count),
	    "history", history_json(time, comment, diff_id_count));
	if (!config)
		return err_nomem(err);
	return document_print(config, out, err);
}

int config_change_diff_ids(struct buf *out, const void *data, size_t len,
    const struct digest *diff_ids, size_t diff_id_count, struct err *err)
{
	json_auto_t *root = NULL;
	json_t *rootfs, *changed;
	int r =
	    document_read(data, len, CONFIG_MAX_BYTES, JSON_OBJECT, &root, err);

	if (r == 0)
		r = document_member(root, "rootfs", JSON_OBJECT, &rootfs, err);
	if (r < 0)
		return r;
	if (!rootfs)
		return err_set(err, EINVAL, "the config has no rootfs");
	changed = digests_json(diff_ids, diff_id_count);
	if (!changed || json_object_set_new(rootfs, "diff_ids", changed) < 0)
		return err_nomem(err);
	return document_print(root, out, err);
}
