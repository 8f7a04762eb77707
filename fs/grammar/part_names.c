/* SPDX-License-Identifier: Apache-2.0 */
/* Names of layers, platforms and referrers. */
#include "part_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/artifact.h"
#include "stream/compression.h"

static const char *ending_by_content(enum compression compression)
{
	switch (compression) {
	case COMPRESSION_GZIP:
		return ".tar.gz";
	case COMPRESSION_ZSTD:
		return ".tar.zst";
	case COMPRESSION_BZIP2:
		return ".tar.bz2";
	case COMPRESSION_XZ:
		return ".tar.xz";
	case COMPRESSION_NONE:
		break;
	}
	return ".tar";
}

static int sniff(struct image *image, const struct descriptor *descriptor,
    const char **ending, struct err *err)
{
	CLEANUP(blob_put_p) struct blob *blob = NULL;
	char head[COMPRESSION_MAGIC_BYTES];
	ssize_t n;
	int r = image_blob(image, descriptor, &blob, err);

	if (r < 0)
		return r;
	n = blob_read(blob, head, sizeof(head), 0, err);
	if (n < 0)
		return (int)n;
	*ending = ending_by_content(compression_sniff(head, (size_t)n));
	return 0;
}

void layer_dir_name(const struct image *image, size_t index,
    char out[PART_NAME_SIZE])
{
	int width = 2;

	for (size_t n = 100; n <= image->manifest->entry_count; n *= 10)
		width++;
	snprintf(out, PART_NAME_SIZE, "%0*zu", width, index + 1);
}

bool layer_is_numbered(const char *name, size_t *index)
{
	size_t digits = strspn(name, "0123456789");

	*index = strtoul(name, NULL, 10) - 1;
	return digits > 1 && !strncmp(name + digits, ".tar", 4);
}

int layer_name(struct image *image, size_t index, char out[PART_NAME_SIZE],
    struct err *err)
{
	const struct descriptor *layer = &image->manifest->entries[index];
	const char *ending = layer_ending(layer->media_type);
	size_t len;

	if (!ending) {
		int r = sniff(image, layer, &ending, err);

		if (r < 0)
			return r;
	}
	layer_dir_name(image, index, out);
	len = strlen(out);
	snprintf(out + len, PART_NAME_SIZE - len, "%s", ending);
	return 0;
}

static int config_platform(struct image *index,
    const struct descriptor *descriptor, struct platform *out, struct err *err)
{
	CLEANUP(image_put_p) struct image *image = NULL;
	const struct config *config = NULL;
	int r = image_open_named(index->images, index->repository,
	    &descriptor->digest, &image, err);

	if (r < 0)
		return r;
	if (image->manifest->kind == MANIFEST_INDEX)
		return 0;
	r = image_config(image, &config, err);
	if (r == 0 && config)
		*out = config->platform;
	return r;
}

/* The name without what makes it the only one. */
static int platform_base(struct image *index, size_t at,
    char out[PART_NAME_SIZE], struct err *err)
{
	const struct descriptor *entry = &index->manifest->entries[at];
	struct platform platform = entry->platform;
	char text[DIGEST_TEXT_SIZE];

	*out = '\0';
	if (descriptor_is_attestation(entry))
		return 0;
	if (!*platform.os) {
		int r = config_platform(index, entry, &platform, err);

		/* An index may list what the registry does not have. */
		if (r < 0 && r != -ENOLINK)
			return r;
	}
	if (*platform.os)
		platform_format(&platform, '-', out);
	else
		snprintf(out, PART_NAME_SIZE, "%s-%.12s",
		    digest_algorithm_name(entry->digest.algorithm),
		    digest_hex(&entry->digest, text));
	for (char *c = out; *c; c++) {
		if (*c == '/')
			*c = '-';
	}
	return 0;
}

int platform_name(struct image *image, size_t index, char out[PART_NAME_SIZE],
    struct err *err)
{
	size_t same = 0;
	int r = platform_base(image, index, out, err);

	for (size_t i = 0; r == 0 && *out && i < index; i++) {
		char other[PART_NAME_SIZE];

		r = platform_base(image, i, other, err);
		same += r == 0 && !strcmp(other, out);
	}
	if (r == 0 && same) {
		size_t len = strlen(out);

		snprintf(out + len, PART_NAME_SIZE - len, "-%zu", same + 1);
	}
	return r;
}

enum { SHORT_DIGITS = 12, SHORT_BYTES = SHORT_DIGITS / 2 };

static void name_with(const struct descriptor *referrer, int digits,
    char out[PART_NAME_SIZE])
{
	const char *type = referrer->artifact_type;
	char hex[DIGEST_TEXT_SIZE];

	snprintf(out, PART_NAME_SIZE, "%s-%.*s",
	    artifact_name(type ? type : ""), digits,
	    digest_hex(&referrer->digest, hex));
}

/* Whether another entry's digest begins like this one's. */
static bool is_ambiguous(const struct referrers *referrers, size_t index)
{
	const struct digest *digest = &referrers->entries[index].digest;

	for (size_t i = 0; i < referrers->count; i++)
		if (i != index && memcmp(referrers->entries[i].digest.bytes,
				      digest->bytes, SHORT_BYTES) == 0)
			return true;
	return false;
}

void referrer_name(const struct referrers *referrers, size_t index,
    char out[PART_NAME_SIZE])
{
	name_with(&referrers->entries[index],
	    is_ambiguous(referrers, index) ? DIGEST_TEXT_SIZE : SHORT_DIGITS,
	    out);
}

bool referrer_find(const struct referrers *referrers, const char *name,
    size_t *index)
{
	for (*index = 0; *index < referrers->count; ++*index) {
		const struct descriptor *entry = &referrers->entries[*index];
		char text[PART_NAME_SIZE];

		digest_format(&entry->digest, text);
		if (strcmp(text, name) == 0)
			return true;
		name_with(entry, DIGEST_TEXT_SIZE, text);
		if (strcmp(text, name) == 0)
			return true;
		name_with(entry, SHORT_DIGITS, text);
		if (strcmp(text, name) == 0 && !is_ambiguous(referrers, *index))
			return true;
	}
	return false;
}
