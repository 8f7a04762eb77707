/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are attached to images: image-spec "Guidelines for Artifact
 * Usage". */
#include "image/referrers.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/budget.h"
#include "base/file.h"
#include "catalog/creation.h"
#include "catalog/referrers_state.h"
#include "push/manifest.h"

/* Its digest and kind, in one pass. */
static int read_file(const struct attachment *file, struct digest *digest,
    struct artifact_kind *kind, struct err *err)
{
	enum { PIECE = 64 << 10 };
	CLEANUP(hasher_free_p)
	struct hasher *hasher = hasher_new(DIGEST_SHA256, err);
	AUTO_FREE char *piece = malloc(PIECE);
	struct artifact_sniffer sniffer;
	uint64_t at = 0;
	int r = 0;

	if (!hasher || !piece)
		return hasher ? err_nomem(err) : -err->code;
	artifact_sniffer_init(&sniffer);
	while (r == 0 && at < file->size) {
		ssize_t n = file_pread(file->fd, piece, PIECE, at, err);

		if (n <= 0)
			return n < 0 ? (int)n
				     : err_set(err, EIO,
					   "unexpected end of file");
		artifact_sniff(&sniffer, piece, (size_t)n);
		r = hasher_update(hasher, piece, (size_t)n, err);
		at += (uint64_t)n;
	}
	artifact_sniffed(&sniffer, file->name, kind);
	return r < 0 ? r : hasher_finish(hasher, digest, err);
}

static int check(const struct attachment *file, struct err *err)
{
	const char *type = file->artifact_type;

	if (file->size == 0)
		return err_set(err, EINVAL, "an empty file cannot be attached");
	if (type && !artifact_type_valid(type, strlen(type)))
		return err_set(err, EINVAL,
		    "an artifact type must be a media type without parameters");
	return 0;
}

static int put_blobs(const struct tag_ref *target,
    const struct attachment *file, const struct digest *digest, struct err *err)
{
	struct payload body = {.fd = file->fd, .size = file->size};
	struct digest config;
	int r = push_blob_put(target, digest, &body, err);

	if (r >= 0)
		r = digest_of(DIGEST_SHA256, ARTIFACT_CONFIG,
		    strlen(ARTIFACT_CONFIG), &config, err);
	if (r >= 0)
		r = push_config_put(target, ARTIFACT_CONFIG,
		    strlen(ARTIFACT_CONFIG), &config, err);
	return r;
}

/* While docker-registry takes a blob that it has from another client, it does
 * not have it; and all clients have the empty config. */
static int put_patiently(const struct tag_ref *target,
    const struct archive_manifest *manifest, struct err *err)
{
	const struct timespec pause = {0, 100000000};
	struct err refusal = ERR_INIT;
	int r = push_manifest_put_last(target, manifest, &refusal);

	if (r == -EINVAL) {
		nanosleep(&pause, NULL);
		return push_manifest_put_last(target, manifest, err);
	}
	if (r < 0)
		*err = refusal;
	return r;
}

static int put_manifest(const struct tag_ref *target, const struct buf *text,
    struct digest *digest, struct err *err)
{
	CLEANUP(manifest_free_p) struct manifest *parsed = NULL;
	struct archive_manifest manifest = {.media_type = MEDIA_OCI_MANIFEST,
	    .data = text->data,
	    .len = text->len};
	int r = manifest_parse(text->data, text->len, MEDIA_OCI_MANIFEST,
	    &parsed, err);

	if (r == 0)
		r = digest_of(DIGEST_SHA256, text->data, text->len, digest,
		    err);
	if (r < 0)
		return r;
	manifest.manifest = parsed;
	manifest.digest = *digest;
	return put_patiently(target, &manifest, err);
}

int referrers_attach(struct image *image, const struct attachment *file,
    struct digest *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
	const struct tag_ref target = {.images = image->images,
	    .repository = image->repository,
	    .untagged = true};
	const struct annotation title = {"org.opencontainers.image.title",
	    file->name};
	struct artifact artifact = {.created = creation_time(image->images),
	    .file = {.size = file->size,
		.annotations = &title,
		.annotation_count = 1},
	    .subject = {.media_type = image->manifest->media_type,
		.digest = image->digest,
		.size = image->len}};
	struct artifact_kind kind;
	int r = check(file, err);

	budget_be_patient();
	if (r == 0)
		r = read_file(file, &artifact.file.digest, &kind, err);
	if (r == 0)
		r = put_blobs(&target, file, &artifact.file.digest, err);
	if (r < 0)
		return r;
	artifact.file.media_type = kind.media_type;
	artifact.artifact_type =
	    file->artifact_type ? file->artifact_type : kind.artifact_type;
	r = artifact_print(&text, &artifact, err);
	return r < 0 ? r : put_manifest(&target, &text, out, err);
}

int referrers_detach(struct image *image, const struct digest *referrer,
    struct err *err)
{
	struct images *images = image->images;
	const char *repository = image->repository;
	char text[DIGEST_TEXT_SIZE];
	int r = source_manifest_remove(images_source(images), repository,
	    digest_format(referrer, text), err);

	if (r == -EOPNOTSUPP)
		err->code = EPERM;
	if (r < 0)
		return err_wrap(err, "removing %s", text);
	r = referrers_tag_remove(images, repository, &image->digest, referrer,
	    err);
	referrers_changed(images, repository, &image->digest);
	return r;
}
