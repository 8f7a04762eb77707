/* SPDX-License-Identifier: Apache-2.0 */
/* Configs and manifests on their way. */
#include "manifest.h"

#include <string.h>

#include "base/log.h"
#include "subject.h"

/* Keeps what was put, so that looking at the image asks nothing. */
static void save(const struct tag_ref *target, const struct digest *digest,
    const void *data, size_t len)
{
	struct err err = ERR_INIT;

	if (source_can(images_source(target->images), SOURCE_LOCAL))
		return;
	if (store_save(images_store(target->images), digest, data, len, &err) <
	    0)
		log_debug(LOG_PUSH, "%s: not kept: %s", target->repository,
		    err.msg);
}

int push_config_put(const struct tag_ref *target, const void *data, size_t len,
    const struct digest *digest, struct err *err)
{
	struct payload body = {.data = data, .size = len};
	int r = push_blob_put(target, digest, &body, err);

	if (r < 0)
		return err_wrap(err, "config");
	save(target, digest, data, len);
	return 0;
}

int push_manifest_put(const struct tag_ref *target, const char *reference,
    const struct archive_manifest *manifest, struct err *err)
{
	int r = source_manifest_put(images_source(target->images),
	    target->repository, reference, manifest->media_type, manifest->data,
	    manifest->len, &manifest->digest, err);

	if (r >= 0) {
		save(target, &manifest->digest, manifest->data, manifest->len);
		r = subject_put(target, manifest, r == 1, err);
	}
	return r < 0 ? err_wrap(err, "manifest") : 0;
}

int push_manifest_put_last(const struct tag_ref *target,
    const struct archive_manifest *manifest, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];

	return push_manifest_put(target,
	    target->untagged ? digest_format(&manifest->digest, text)
			     : target->tag,
	    manifest, err);
}

struct descriptor push_layer_descriptor(const struct layer_written *blob,
    bool docker, struct annotation room[LAYER_ANNOTATIONS_MAX])
{
	const struct layer_annotations *annotations = &blob->annotations;

	for (size_t i = 0; i < annotations->count; i++) {
		room[i].name = annotations->list[i].name;
		room[i].value = annotations->list[i].value;
	}
	return (struct descriptor){
	    .media_type = docker ? MEDIA_DOCKER_LAYER_GZIP
				 : layer_kind_media_type(blob->kind),
	    .digest = blob->digest,
	    .size = blob->size,
	    .annotations = room,
	    .annotation_count = docker ? 0 : annotations->count,
	};
}

static int print_manifest(const struct push_image *image,
    const struct descriptor *config, const char *media_type, struct buf *out,
    struct err *err)
{
	size_t count = image->layer_count;
	AUTO_FREE struct descriptor *layers =
	    calloc(count + 1, sizeof(*layers));
	AUTO_FREE struct annotation *annotations =
	    calloc(count + 1, LAYER_ANNOTATIONS_MAX * sizeof(*annotations));

	if (!layers || !annotations)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++)
		layers[i] = push_layer_descriptor(&image->layers[i]->blob,
		    image->docker, annotations + i * LAYER_ANNOTATIONS_MAX);
	return manifest_print(out, media_type, config, layers, count, err);
}

/* The manifest of the image with that media type, once its config is there. */
static int put_image_manifest(const struct tag_ref *target,
    const struct push_image *image, const struct digest *config_digest,
    struct digest *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
	struct archive_manifest manifest = {
	    .media_type =
		image->docker ? MEDIA_DOCKER_MANIFEST : MEDIA_OCI_MANIFEST};
	struct descriptor config = {.media_type = image->docker
						      ? MEDIA_DOCKER_CONFIG
						      : MEDIA_OCI_CONFIG,
	    .digest = *config_digest,
	    .size = image->config_len};
	int r = print_manifest(image, &config, manifest.media_type, &text, err);

	if (r == 0)
		r = digest_of(DIGEST_SHA256, text.data, text.len,
		    &manifest.digest, err);
	if (r < 0)
		return r;
	manifest.data = text.data;
	manifest.len = text.len;
	*out = manifest.digest;
	return push_manifest_put_last(target, &manifest, err);
}

/* Some registries take the types of OCI alone: zot answers 415, unless it is
 * told to be compatible. */
static bool type_refused(const struct err *err)
{
	return err->http == 415;
}

int push_image_put(const struct tag_ref *target, const struct push_image *image,
    struct digest *out, struct err *err)
{
	struct push_image as_oci = *image;
	struct err refusal = ERR_INIT;
	struct digest config;
	int r = digest_of(DIGEST_SHA256, image->config, image->config_len,
	    &config, err);

	as_oci.docker = false;
	if (r == 0)
		r = push_config_put(target, image->config, image->config_len,
		    &config, err);
	if (r < 0 || !image->docker)
		return r < 0 ? r
			     : put_image_manifest(target, image, &config, out,
				   err);
	r = put_image_manifest(target, image, &config, out, &refusal);
	if (r < 0 && type_refused(&refusal)) {
		log_debug(LOG_PUSH, "%s:%s: with media types of OCI: %s",
		    target->repository, target->tag, refusal.msg);
		r = put_image_manifest(target, &as_oci, &config, out,
		    ERR_IGNORE);
	}
	if (r < 0)
		*err = refusal;
	return r < 0 ? -err->code : 0;
}
