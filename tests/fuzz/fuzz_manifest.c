/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: what was parsed is whole, and what is printed can be parsed. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "oci/artifact.h"
#include "oci/edit.h"

static void check_descriptor(const struct descriptor *descriptor)
{
	char text[DIGEST_TEXT_SIZE], platform[PLATFORM_TEXT_SIZE];

	if (!descriptor->media_type || descriptor->size > DESCRIPTOR_MAX_SIZE ||
	    strlen(digest_format(&descriptor->digest, text)) >= sizeof(text))
		abort();
	platform_format(&descriptor->platform, '-', platform);
	if (strchr(platform, '/') || !strchr(platform, '-'))
		abort();
	for (size_t i = 0; i < descriptor->annotation_count; i++)
		if (!descriptor_annotation(descriptor,
			descriptor->annotations[i].name))
			abort();
	descriptor_is_attestation(descriptor);
}

static void check_index(const struct manifest *index)
{
	static const struct platform want = {"linux", "arm64", "", ""};
	const struct descriptor *chosen = manifest_select(index, &want);

	if (manifest_is_image(index) ||
	    (chosen && descriptor_is_attestation(chosen)))
		abort();
}

/* One more entry is one more entry. */
static void check_index_add(const struct manifest *index, const uint8_t *data,
    size_t size)
{
	struct descriptor entry = {.media_type = "x/y", .size = 1};
	CLEANUP(manifest_free_p) struct manifest *again = NULL;
	AUTO_BUF struct buf out = BUF_INIT(MANIFEST_MAX_BYTES);
	struct err err = ERR_INIT;
	int r;

	entry.digest.algorithm = DIGEST_SHA256;
	r = index_add(&out, data, size, &entry, &err);
	if (r <= 0)
		return; /* it has as many as there can be, or that one */
	if (manifest_parse(out.data, out.len, NULL, &again, &err) < 0 ||
	    again->entry_count != index->entry_count + 1)
		abort();
}

static void check_image(const struct manifest *image)
{
	CLEANUP(manifest_free_p) struct manifest *again = NULL;
	AUTO_BUF struct buf out = BUF_INIT(MANIFEST_MAX_BYTES);
	struct err err = ERR_INIT;

	manifest_is_image(image);
	if (!digest_is_set(&image->config.digest))
		return;
	check_descriptor(&image->config);
	if (manifest_print(&out, MEDIA_OCI_MANIFEST, &image->config,
		image->entries, image->entry_count, &err) < 0)
		abort();
	if (manifest_parse(out.data, out.len, MEDIA_OCI_MANIFEST, &again,
		&err) < 0 ||
	    again->entry_count != image->entry_count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(manifest_free_p) struct manifest *manifest = NULL;
	struct err err = ERR_INIT;

	if (manifest_parse(data, size, NULL, &manifest, &err) < 0) {
		if (manifest || !err.code || !err.msg[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < manifest->entry_count; i++)
		check_descriptor(&manifest->entries[i]);
	if (digest_is_set(&manifest->subject.digest))
		check_descriptor(&manifest->subject);
	if (manifest->kind == MANIFEST_IMAGE) {
		check_image(manifest);
		return 0;
	}
	check_index(manifest);
	check_index_add(manifest, data, size);
	return 0;
}
