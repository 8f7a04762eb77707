/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and indexes: image-spec manifest.md and image-index.md, and
 * Docker's schema 2 and manifest list, which have the same shape. What was
 * parsed is immutable and lives in one arena.
 */
#ifndef OCI_MANIFEST_H
#define OCI_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "oci/digest.h"
#include "oci/platform.h"

#define MEDIA_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_EMPTY "application/vnd.oci.empty.v1+json"
#define MEDIA_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_OCI_LAYER_GZIP MEDIA_OCI_LAYER "+gzip"
#define MEDIA_OCI_LAYER_ZSTD MEDIA_OCI_LAYER "+zstd"
#define MEDIA_DOCKER_LIST \
	"application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST \
	"application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"
#define MEDIA_DOCKER_LAYER_GZIP MEDIA_DOCKER_LAYER ".gzip"
#define MEDIA_DOCKER_SCHEMA1 \
	"application/vnd.docker.distribution.manifest.v1+json"
#define MEDIA_DOCKER_SCHEMA1_SIGNED \
	"application/vnd.docker.distribution.manifest.v1+prettyjws"

enum {
	MANIFEST_MAX_BYTES = 16 << 20, /* the registries' own limit is 4 MiB */
	CONFIG_MAX_BYTES = 8 << 20,    /* twice what containers/image takes */
	MANIFEST_MAX_ENTRIES = 10000,  /* layers, or manifests of an index */
};

/* What the sizes of all entries add up to then fits into an off_t; jansson and
 * most readers take sizes up to 2^63. */
#define DESCRIPTOR_MAX_SIZE (UINT64_C(1) << 48)

struct annotation {
	const char *name;
	const char *value;
};

struct descriptor {
	const char *media_type; /* never NULL, may be "" */
	struct digest digest;
	uint64_t size;             /* at most DESCRIPTOR_MAX_SIZE */
	const char *artifact_type; /* NULL if none */
	struct platform platform;  /* zeroed if none */
	const struct annotation *annotations;
	size_t annotation_count;
	bool has_urls; /* a foreign layer */
};

enum manifest_kind { MANIFEST_IMAGE, MANIFEST_INDEX };

struct manifest {
	enum manifest_kind kind;
	const char *media_type;    /* its own, else what it was served as */
	const char *artifact_type; /* NULL if none */
	struct descriptor config;  /* image: digest unset if it has none */
	const struct descriptor *entries; /* layers, or an index's manifests */
	size_t entry_count;
	struct descriptor subject; /* digest unset if none */
	const struct annotation *annotations;
	size_t annotation_count;
};

/*
 * Parses a manifest's bytes. The kind follows from media_type (a Content-Type,
 * its parameters ignored; may be NULL), else from the document's mediaType,
 * else from its shape; types that are not known say nothing.
 *
 * *out is to be freed with manifest_free(). -EINVAL with a sentence: not JSON,
 * too many entries, a bad digest or size, no shape of a manifest, or an
 * ambiguous document, where those three do not agree; -ENOTSUP for schema 1,
 * with a sentence. Of two members of one name the last counts.
 */
int manifest_parse(const void *data, size_t len, const char *media_type,
    struct manifest **out, struct err *err);
void manifest_free(struct manifest *manifest);

DEFINE_CLEANUP(struct manifest *, manifest_free);

/* The annotation's value, or NULL. */
const char *descriptor_annotation(const struct descriptor *descriptor,
    const char *name);

/* Whether an index's entry is the attestations that buildkit has made of
 * another one. */
bool descriptor_is_buildkit_attestation(const struct descriptor *descriptor);

/* Whether an index's entry is no image of a platform: buildkit's attestations,
 * SOCI indexes, and all of platform unknown/unknown. */
bool descriptor_is_attestation(const struct descriptor *descriptor);

/*
 * The entry of an index that serves `want` best, the first of equals, or NULL:
 * an image of that platform, else one without a platform, else an index, in
 * which the caller selects again.
 */
const struct descriptor *manifest_select(const struct manifest *index,
    const struct platform *want);

/* Whether it is an image (its config is an image's, and its layers are not just
 * documents), else an artifact. */
bool manifest_is_image(const struct manifest *manifest);

/*
 * Prints an image manifest (OCI or Docker by media_type) for a config and
 * layers, of which all is used but platforms (Docker's: and annotations).
 * Deterministic; Docker's as its engine prints them.
 */
int manifest_print(struct buf *out, const char *media_type,
    const struct descriptor *config, const struct descriptor *layers,
    size_t layer_count, struct err *err);

#endif
