/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and indexes out of JSON. */
#include "oci/manifest.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/container.h"
#include "descriptor.h"
#include "json/document.h"

struct parsed_manifest {
	struct manifest manifest; /* first: manifest_free() gets its address */
	struct arena arena;
};

/* What something says that a document is. */
enum claim { CLAIM_NONE, CLAIM_IMAGE, CLAIM_INDEX, CLAIM_SCHEMA1 };

static const struct {
	const char *media_type;
	enum claim claim;
} claims_of_types[] = {
    {MEDIA_OCI_INDEX, CLAIM_INDEX},
    {MEDIA_OCI_MANIFEST, CLAIM_IMAGE},
    {MEDIA_DOCKER_LIST, CLAIM_INDEX},
    {MEDIA_DOCKER_MANIFEST, CLAIM_IMAGE},
    {MEDIA_DOCKER_SCHEMA1, CLAIM_SCHEMA1},
    {MEDIA_DOCKER_SCHEMA1_SIGNED, CLAIM_SCHEMA1},
};

enum { KNOWN_TYPES = sizeof(claims_of_types) / sizeof(claims_of_types[0]) };

/* The claim of a media type in whose parameters there is nothing for us, and
 * the type without them; NULL if it is unknown. */
static const char *known_type(const char *media_type, enum claim *claim)
{
	size_t len = strcspn(media_type, "; \t");

	for (size_t i = 0; i < KNOWN_TYPES; i++) {
		const char *known = claims_of_types[i].media_type;

		if (strlen(known) == len &&
		    strncasecmp(known, media_type, len) == 0) {
			*claim = claims_of_types[i].claim;
			return known;
		}
	}
	*claim = CLAIM_NONE;
	return NULL;
}

static bool has(const json_t *root, const char *name)
{
	const json_t *value = json_object_get(root, name);

	return value && !json_is_null(value);
}

/*
 * A document of two shapes is one image to a reader that goes by its shape and
 * another to one that goes by its Content-Type (CVE-2021-41190).
 */
static int claim_of_shape(const json_t *root, enum claim *claim,
    struct err *err)
{
	bool image = has(root, "layers") || has(root, "config");
	bool index = has(root, "manifests");
	bool schema1 = has(root, "fsLayers");

	*claim = CLAIM_NONE;
	if (image + index + schema1 > 1)
		return err_set(err, EINVAL,
		    "the manifest is ambiguous: it has members of both an "
		    "image and an index, or of an older schema");
	if (image)
		*claim = CLAIM_IMAGE;
	if (index)
		*claim = CLAIM_INDEX;
	if (schema1)
		*claim = CLAIM_SCHEMA1;
	return 0;
}

static int agree(enum claim *claim, enum claim other, const char *who,
    struct err *err)
{
	if (*claim != CLAIM_NONE && other != CLAIM_NONE && *claim != other)
		return err_set(err, EINVAL,
		    "the manifest is ambiguous: its %s says another kind", who);
	if (*claim == CLAIM_NONE)
		*claim = other;
	return 0;
}

/*
 * The kind, from whatever tells it, which must not contradict itself. *type is
 * the media type to call the manifest by: its own, since that is what its
 * digest covers, else what it was served as.
 */
static int find_kind(const json_t *root, const char *served_as,
    enum manifest_kind *kind, const char **type, struct err *err)
{
	enum claim claim = CLAIM_NONE, own_claim, shape;
	const char *served = served_as ? known_type(served_as, &claim) : NULL;
	json_t *own;
	int r = document_member(root, "mediaType", JSON_STRING, &own, err);

	if (r < 0)
		return r;
	known_type(own ? json_string_value(own) : "", &own_claim);
	r = agree(&claim, own_claim, "mediaType", err);
	if (r == 0)
		r = claim_of_shape(root, &shape, err);
	if (r == 0)
		r = agree(&claim, shape, "content", err);
	if (r < 0)
		return r;
	if (claim == CLAIM_NONE)
		return err_set(err, EINVAL,
		    "the JSON is neither an image manifest nor an index");
	if (claim == CLAIM_SCHEMA1)
		return err_set(err, ENOTSUP,
		    "the manifest is of Docker's schema 1, which is obsolete "
		    "and not supported: push the image again with a newer "
		    "client");
	*kind = claim == CLAIM_INDEX ? MANIFEST_INDEX : MANIFEST_IMAGE;
	*type = *kind == MANIFEST_INDEX ? MEDIA_OCI_INDEX : MEDIA_OCI_MANIFEST;
	if (own)
		*type = json_string_value(own);
	else if (served)
		*type = served;
	return 0;
}

/* A descriptor that may be absent: its digest then is not set. */
static int read_optional(const json_t *root, const char *name,
    struct arena *arena, struct descriptor *out, struct err *err)
{
	json_t *value;
	int r = document_member(root, name, JSON_OBJECT, &value, err);

	*out = (struct descriptor){.media_type = ""};
	if (r < 0 || !value)
		return r;
	if (descriptor_read(value, arena, out, err) < 0)
		return err_wrap(err, "%s", name);
	return 0;
}

static int read_entries(const json_t *root, const char *name,
    struct parsed_manifest *parsed, struct err *err)
{
	struct descriptor *entries;
	json_t *list;
	size_t count;
	int r = document_member(root, name, JSON_ARRAY, &list, err);

	if (r < 0)
		return r;
	count = json_array_size(list);
	if (count == 0)
		return 0;
	if (count > MANIFEST_MAX_ENTRIES)
		return err_set(err, EINVAL, "%zu %s are more than %d", count,
		    name, MANIFEST_MAX_ENTRIES);
	entries = arena_array(&parsed->arena, count, sizeof(*entries));
	if (!entries)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++) {
		r = descriptor_read(json_array_get(list, i), &parsed->arena,
		    &entries[i], err);
		if (r < 0)
			return err_wrap(err, "%s[%zu]", name, i);
	}
	parsed->manifest.entries = entries;
	parsed->manifest.entry_count = count;
	return 0;
}

/* A document that is called a manifest by its type may yet be something else,
 * an error message for one. */
static int check_members(const json_t *root, enum manifest_kind kind,
    struct err *err)
{
	if (kind == MANIFEST_INDEX && !json_object_get(root, "manifests"))
		return err_set(err, EINVAL, "the index has no \"manifests\"");
	if (kind == MANIFEST_IMAGE && !json_object_get(root, "layers") &&
	    !json_object_get(root, "config"))
		return err_set(err, EINVAL,
		    "the image manifest has neither \"config\" nor \"layers\"");
	return 0;
}

static int read_members(const json_t *root, struct parsed_manifest *parsed,
    struct err *err)
{
	struct manifest *m = &parsed->manifest;
	struct arena *arena = &parsed->arena;
	bool image = m->kind == MANIFEST_IMAGE;
	int r = check_members(root, m->kind, err);

	if (r == 0)
		r = document_text(root, "artifactType", arena,
		    &m->artifact_type, err);
	if (r == 0)
		r = read_optional(root, "config", arena, &m->config, err);
	if (r == 0)
		r = read_entries(root, image ? "layers" : "manifests", parsed,
		    err);
	if (r == 0)
		r = read_optional(root, "subject", arena, &m->subject, err);
	if (r == 0)
		r = annotations_read(root, arena, &m->annotations,
		    &m->annotation_count, err);
	return r;
}

int manifest_parse(const void *data, size_t len, const char *media_type,
    struct manifest **out, struct err *err)
{
	json_auto_t *root = NULL;
	CLEANUP(manifest_free_p) struct manifest *manifest = NULL;
	struct parsed_manifest *parsed;
	const char *type = NULL;
	int r;

	r = document_read(data, len, MANIFEST_MAX_BYTES, JSON_OBJECT, &root,
	    err);
	if (r < 0)
		return r;
	parsed = calloc(1, sizeof(*parsed));
	if (!parsed)
		return err_nomem(err);
	manifest = &parsed->manifest;
	r = find_kind(root, media_type, &manifest->kind, &type, err);
	if (r < 0)
		return r;
	manifest->media_type = arena_strdup(&parsed->arena, type);
	if (!manifest->media_type)
		return err_nomem(err);
	r = read_members(root, parsed, err);
	if (r < 0)
		return r;
	*out = steal(&manifest);
	return 0;
}

void manifest_free(struct manifest *manifest)
{
	struct parsed_manifest *parsed;

	if (!manifest)
		return;
	parsed = container_of(manifest, struct parsed_manifest, manifest);
	arena_release(&parsed->arena);
	free(parsed);
}
