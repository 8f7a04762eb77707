/* SPDX-License-Identifier: Apache-2.0 */
/* OCI layouts, pushed byte for byte. */
#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "contents.h"
#include "manifest.h"

static bool is_config(const struct archive_contents *contents,
    const struct archive_blob *blob)
{
	if (blob->descriptor->size > CONFIG_MAX_BYTES)
		return false;
	for (size_t i = 0; i < contents->manifest_count; i++)
		if (digest_equal(&contents->manifests[i]
				      .manifest->config.digest,
			&blob->descriptor->digest))
			return true;
	return false;
}

static int put_config(const struct tag_ref *target, int fd,
    const struct archive_blob *blob, struct err *err)
{
	size_t len = (size_t)blob->entry.size;
	AUTO_FREE char *data = malloc(len + 1);
	char text[DIGEST_TEXT_SIZE];
	struct digest digest;
	ssize_t n;
	int r;

	if (!data)
		return err_nomem(err);
	n = file_pread(fd, data, len, blob->entry.offset, err);
	if (n < 0)
		return (int)n;
	r = digest_of(blob->descriptor->digest.algorithm, data, (size_t)n,
	    &digest, err);
	if (r < 0)
		return r;
	if (!digest_equal(&digest, &blob->descriptor->digest))
		return err_set(err, EINVAL, "config %s has the digest %s",
		    blob->entry.name, digest_format(&digest, text));
	return push_config_put(target, data, len, &digest, err);
}

static int want_blobs(struct push_layers *set, int fd,
    const struct archive_contents *contents, struct err *err)
{
	for (size_t i = 0; i < contents->blob_count; i++) {
		const struct archive_blob *blob = &contents->blobs[i];

		if (!is_config(contents, blob) &&
		    !push_layers_want(set, fd, &blob->entry,
			&blob->descriptor->digest, err))
			return -err->code;
	}
	return 0;
}

/*
 * What was started before the archive was known to be an OCI layout may have
 * been compressed, and has not become the blob that the manifest names: that
 * one is sent as well.
 */
static int want_uncompressed(struct push_layers *set, int fd,
    const struct archive_contents *contents, struct err *err)
{
	for (size_t i = 0; i < contents->blob_count; i++) {
		const struct archive_blob *blob = &contents->blobs[i];
		const struct digest *digest = &blob->descriptor->digest;
		struct push_layer *layer = push_layers_find(set, &blob->entry);

		if (!layer || digest_equal(&layer->blob.digest, digest))
			continue;
		layer->wanted = false;
		layer = push_layers_start(set, fd, &blob->entry, digest, err);
		if (!layer)
			return -err->code;
		layer->wanted = true;
	}
	return 0;
}

static int put_blobs(struct push_layers *set, int fd,
    const struct archive_contents *contents, struct err *err)
{
	int r = want_blobs(set, fd, contents, err);

	if (r < 0)
		return r;
	push_layers_drop(set);
	r = push_layers_wait(set, err);
	if (r == 0)
		r = want_uncompressed(set, fd, contents, err);
	if (r == 0)
		r = push_layers_wait(set, err);
	for (size_t i = 0; i < contents->blob_count && r == 0; i++)
		if (is_config(contents, &contents->blobs[i]))
			r = put_config(set->target, fd, &contents->blobs[i],
			    err);
	return r;
}

int push_oci(struct push_layers *set, const struct archive_reader *reader,
    const struct archive_contents *contents, struct err *err)
{
	const struct archive_manifest *manifests = contents->manifests;
	const struct tag_ref *target = set->target;
	size_t last = contents->manifest_count - 1;
	int r = put_blobs(set, archive_reader_fd(reader), contents, err);

	for (size_t i = 0; i < last && r == 0; i++) {
		char text[DIGEST_TEXT_SIZE];

		digest_format(&manifests[i].digest, text);
		r = push_manifest_put(target, text, &manifests[i], err);
	}
	return r < 0 ? r
		     : push_manifest_put_last(target, &manifests[last], err);
}
