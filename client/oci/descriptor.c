/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: what a manifest says of a blob or of another manifest. */
#include "descriptor.h"

#include <errno.h>
#include <string.h>

#include "json/document.h"

int platform_read(const json_t *object, struct platform *out, struct err *err)
{
	const struct {
		const char *name;
		char *text;
	} members[] = {
	    {"os", out->os},
	    {"architecture", out->architecture},
	    {"variant", out->variant},
	    {"os.version", out->os_version},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		int r = document_short_text(object, members[i].name,
		    members[i].text, PLATFORM_NAME_SIZE, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int annotations_read(const json_t *object, struct arena *arena,
    const struct annotation **out, size_t *count, struct err *err)
{
	struct annotation *annotations;
	size_t n = 0;
	const char *name;
	json_t *members, *value;
	int r =
	    document_member(object, "annotations", JSON_OBJECT, &members, err);

	*out = NULL;
	*count = 0;
	if (r < 0 || json_object_size(members) == 0)
		return r;
	annotations =
	    arena_array(arena, json_object_size(members), sizeof(*annotations));
	if (!annotations)
		return err_nomem(err);
	json_object_foreach(members, name, value)
	{
		r = document_text(members, name, arena, &annotations[n].value,
		    err);
		if (r < 0)
			return err_wrap(err, "annotations");
		annotations[n].name = arena_strdup(arena, name);
		if (!annotations[n].name)
			return err_nomem(err);
		/* null, which Go's readers take for an empty string */
		if (!annotations[n].value)
			annotations[n].value = "";
		n++;
	}
	*out = annotations;
	*count = n;
	return 0;
}

static int read_size(const json_t *object, uint64_t *out, struct err *err)
{
	json_t *value;
	json_int_t size;
	int r = document_member(object, "size", JSON_INTEGER, &value, err);

	if (r < 0)
		return r;
	if (!value)
		return err_set(err, EINVAL, "the size is missing");
	size = json_integer_value(value);
	if (size < 0 || (uint64_t)size > DESCRIPTOR_MAX_SIZE)
		return err_set(err, EINVAL,
		    "%" JSON_INTEGER_FORMAT " is not a valid size", size);
	*out = (uint64_t)size;
	return 0;
}

static int read_platform(const json_t *object, struct platform *out,
    struct err *err)
{
	json_t *platform;
	int r =
	    document_member(object, "platform", JSON_OBJECT, &platform, err);

	if (r < 0 || !platform)
		return r;
	return platform_read(platform, out, err);
}

static int read_urls(const json_t *object, bool *out, struct err *err)
{
	json_t *urls;
	int r = document_member(object, "urls", JSON_ARRAY, &urls, err);

	if (r == 0)
		*out = json_array_size(urls) > 0;
	return r;
}

int descriptor_read(const json_t *value, struct arena *arena,
    struct descriptor *out, struct err *err)
{
	struct descriptor d = {.media_type = NULL};
	int r;

	if (!json_is_object(value))
		return err_set(err, EINVAL, "not an object");
	r = document_text(value, "mediaType", arena, &d.media_type, err);
	if (r == 0)
		r = document_digest(json_object_get(value, "digest"), &d.digest,
		    err);
	if (r == 0)
		r = read_size(value, &d.size, err);
	if (r == 0)
		r = document_text(value, "artifactType", arena,
		    &d.artifact_type, err);
	if (r == 0)
		r = read_platform(value, &d.platform, err);
	if (r == 0)
		r = annotations_read(value, arena, &d.annotations,
		    &d.annotation_count, err);
	if (r == 0)
		r = read_urls(value, &d.has_urls, err);
	if (r < 0)
		return r;
	if (!d.media_type)
		d.media_type = "";
	*out = d;
	return 0;
}

const char *descriptor_annotation(const struct descriptor *descriptor,
    const char *name)
{
	for (size_t i = 0; i < descriptor->annotation_count; i++)
		if (strcmp(descriptor->annotations[i].name, name) == 0)
			return descriptor->annotations[i].value;
	return NULL;
}

/* buildkit's docs/attestations/attestation-storage.md */
bool descriptor_is_buildkit_attestation(const struct descriptor *descriptor)
{
	const char *type =
	    descriptor_annotation(descriptor, "vnd.docker.reference.type");

	if (type && strcmp(type, "attestation-manifest") == 0)
		return true;
	return descriptor->artifact_type &&
	       strcmp(descriptor->artifact_type,
		   "application/vnd.docker.attestation.manifest.v1+json") == 0;
}

/* A SOCI index carries the platform of the image whose layers it indexes. */
static bool is_soci_index(const struct descriptor *descriptor)
{
	static const char prefix[] = "application/vnd.amazon.soci.index.";

	return descriptor->artifact_type &&
	       strncmp(descriptor->artifact_type, prefix, strlen(prefix)) == 0;
}

bool descriptor_is_attestation(const struct descriptor *descriptor)
{
	return descriptor_is_buildkit_attestation(descriptor) ||
	       is_soci_index(descriptor) ||
	       (strcmp(descriptor->platform.os, "unknown") == 0 &&
		   strcmp(descriptor->platform.architecture, "unknown") == 0);
}
