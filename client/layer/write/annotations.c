/* SPDX-License-Identifier: Apache-2.0 */
/* What descriptors say of layers. */
#include "layer/annotations.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    ANNOTATION_ESTARGZ_DIGEST,
    ANNOTATION_ESTARGZ_SIZE,
    ANNOTATION_CHUNKED ANNOTATION_CHECKSUM,
    ANNOTATION_CHUNKED ANNOTATION_POSITION,
    ANNOTATION_CHUNKED ANNOTATION_TAR_SPLIT,
    ANNOTATION_CHUNKED_OLD ANNOTATION_CHECKSUM,
    ANNOTATION_CHUNKED_OLD ANNOTATION_POSITION,
};

const char *layer_kind_name(enum layer_kind kind)
{
	switch (kind) {
	case LAYER_ANY:
		break;
	case LAYER_GZIP:
		return "gzip";
	case LAYER_ZSTD:
		return "zstd";
	case LAYER_ESTARGZ:
		return "estargz";
	case LAYER_ZSTD_CHUNKED:
		return "zstd:chunked";
	}
	return "any";
}

enum layer_kind layer_kind_plain(enum layer_kind kind)
{
	return kind == LAYER_ZSTD || kind == LAYER_ZSTD_CHUNKED ? LAYER_ZSTD
								: LAYER_GZIP;
}

const char *layer_kind_media_type(enum layer_kind kind)
{
	return layer_kind_plain(kind) == LAYER_ZSTD ? MEDIA_OCI_LAYER_ZSTD
						    : MEDIA_OCI_LAYER_GZIP;
}

static const char *known_name(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return names[i];
	return NULL;
}

/* A number, numbers or a digest: a word, and short. */
static bool is_value(const char *value)
{
	size_t len = strlen(value);

	for (const char *p = value; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != ':')
			return false;
	return len > 0 && len < LAYER_ANNOTATION_SIZE;
}

bool layer_annotations_add(struct layer_annotations *annotations,
    const char *name, const char *value)
{
	const char *known = known_name(name);
	size_t at = annotations->count;

	if (!known || !is_value(value) || at == LAYER_ANNOTATIONS_MAX)
		return false;
	annotations->list[at].name = known;
	snprintf(annotations->list[at].value, LAYER_ANNOTATION_SIZE, "%s",
	    value);
	annotations->count++;
	return true;
}

void layer_annotations_take(struct layer_annotations *out,
    const struct descriptor *descriptor)
{
	*out = (struct layer_annotations){.count = 0};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = descriptor_annotation(descriptor, names[i]);

		if (value)
			layer_annotations_add(out, names[i], value);
	}
}

static bool has(const struct layer_annotations *annotations, const char *name)
{
	for (size_t i = 0; i < annotations->count; i++)
		if (strcmp(annotations->list[i].name, name) == 0)
			return true;
	return false;
}

enum layer_kind layer_kind_of(const char *media_type,
    const struct layer_annotations *annotations)
{
	if (strcmp(media_type, MEDIA_OCI_LAYER_GZIP) == 0 ||
	    strcmp(media_type, MEDIA_DOCKER_LAYER_GZIP) == 0)
		return has(annotations, ANNOTATION_ESTARGZ_DIGEST)
			   ? LAYER_ESTARGZ
			   : LAYER_GZIP;
	if (strcmp(media_type, MEDIA_OCI_LAYER_ZSTD) == 0)
		return has(annotations,
			   ANNOTATION_CHUNKED ANNOTATION_CHECKSUM) ||
			       has(annotations,
				   ANNOTATION_CHUNKED_OLD ANNOTATION_CHECKSUM)
			   ? LAYER_ZSTD_CHUNKED
			   : LAYER_ZSTD;
	return LAYER_ANY;
}

bool layer_kind_serves(enum layer_kind kind, enum layer_kind wanted)
{
	if (kind == LAYER_ANY)
		return false;
	return wanted == LAYER_ANY || kind == wanted ||
	       layer_kind_plain(kind) == wanted;
}
