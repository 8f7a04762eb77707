/* SPDX-License-Identifier: Apache-2.0 */
/* Which manifests are images, and which image of an index serves a machine. */
#include <string.h>
#include <strings.h>

#include "oci/manifest.h"

static bool is_any(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

static bool ends_with(const char *text, const char *ending)
{
	size_t len = strlen(text), tail = strlen(ending);

	return len > tail && strcmp(text + len - tail, ending) == 0;
}

/* Attestations of buildkit and signatures of cosign have an image's config, and
 * documents for layers. */
static bool is_document(const struct descriptor *layer)
{
	const char *type = layer->media_type;

	return ends_with(type, "+json") || ends_with(type, "+xml") ||
	       strncmp(type, "text/", 5) == 0;
}

static bool has_documents_alone(const struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->entry_count; i++)
		if (!is_document(&manifest->entries[i]))
			return false;
	return manifest->entry_count > 0;
}

static const char *const image_configs[] = {MEDIA_OCI_CONFIG,
    MEDIA_DOCKER_CONFIG, NULL};

/*
 * Of Docker's manifests. In the first years of schema 2 registries and clients
 * made "application/octet-stream", "text/html" and the like of the config's
 * type, in any case and with parameters, and images of those years still have
 * it. Engines take all for images, but not what has a vendor's own type (a
 * plugin, a chart).
 */
static bool is_docker_config(const char *type)
{
	static const char vendors[] = "application/vnd.";
	size_t len = strcspn(type, "; \t");

	for (const char *const *known = image_configs; *known; known++)
		if (strlen(*known) == len &&
		    strncasecmp(*known, type, len) == 0)
			return true;
	return strncasecmp(type, vendors, strlen(vendors)) != 0;
}

bool manifest_is_image(const struct manifest *manifest)
{
	const char *config = manifest->config.media_type;

	if (manifest->kind != MANIFEST_IMAGE ||
	    !digest_is_set(&manifest->config.digest) ||
	    has_documents_alone(manifest))
		return false;
	if (is_any(config, image_configs))
		return true;
	return strcmp(manifest->media_type, MEDIA_DOCKER_MANIFEST) == 0 &&
	       is_docker_config(config);
}

static bool is_index(const struct descriptor *entry)
{
	return strcmp(entry->media_type, MEDIA_OCI_INDEX) == 0 ||
	       strcmp(entry->media_type, MEDIA_DOCKER_LIST) == 0;
}

/*
 * How well an entry serves: an image of the platform before one that names no
 * platform (its config does) before an index, in which there may be one.
 */
static int entry_rank(const struct descriptor *entry,
    const struct platform *want)
{
	enum { NOT_AT_ALL, NESTED_INDEX, NO_PLATFORM };
	bool any = !entry->platform.os[0] && !entry->platform.architecture[0];
	int match = any ? 0 : platform_match(want, &entry->platform);

	if (descriptor_is_attestation(entry) || (!any && !match))
		return NOT_AT_ALL;
	if (is_index(entry))
		return NESTED_INDEX;
	return NO_PLATFORM + match;
}

const struct descriptor *manifest_select(const struct manifest *index,
    const struct platform *want)
{
	const struct descriptor *best = NULL;
	int best_rank = 0;

	if (index->kind != MANIFEST_INDEX)
		return NULL;
	for (size_t i = 0; i < index->entry_count; i++) {
		int rank = entry_rank(&index->entries[i], want);

		if (rank > best_rank) {
			best_rank = rank;
			best = &index->entries[i];
		}
	}
	return best;
}
