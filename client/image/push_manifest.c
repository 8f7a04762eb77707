/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configs, manifests and the tag. Blobs before the manifests that name them,
 * manifests before the index that names them, the tag last: a push that breaks
 * off changes nothing that anybody sees.
 */
#include "push_manifest.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archive/contents.h"
#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"

static const char *layer_media_type(enum compression compression, bool docker)
{
	if (compression == COMPRESSION_ZSTD)
		return MEDIA_OCI_LAYER_ZSTD;
	return docker ? MEDIA_DOCKER_LAYER_GZIP : MEDIA_OCI_LAYER_GZIP;
}

/* The layer at that place, on its way and known to belong to the image. */
static struct push_layer *want(struct push_layers *set, int fd,
    const struct archive_entry *entry, const struct digest *blob,
    struct err *err)
{
	struct push_layer *layer = push_layers_find(set, entry);

	if (!layer)
		layer = push_layers_start(set, fd, entry, blob, err);
	if (layer)
		layer->wanted = true;
	return layer;
}

/* Keeps what was put, so that looking at the image asks nothing. */
static void save(const struct push_target *target, const struct digest *digest,
    const void *data, size_t len)
{
	struct err err = ERR_INIT;

	if (store_save(images_store(target->images), digest, data, len, &err) <
	    0)
		log_debug(LOG_PUSH, "%s: not kept: %s", target->repository,
		    err.msg);
}

static int put_config(const struct push_target *target, const void *data,
    size_t len, const struct digest *digest, struct err *err)
{
	struct http_body body = {.data = data, .size = len};
	int r = push_blob_put(target, digest, &body, err);

	if (r < 0)
		return err_wrap(err, "config");
	save(target, digest, data, len);
	return 0;
}

/* reference: the tag, or a digest's text. */
static int put_manifest(const struct push_target *target, const char *reference,
    const struct archive_manifest *manifest, struct err *err)
{
	int r = registry_manifest_put(images_registry(target->images),
	    target->repository, reference, manifest->media_type, manifest->data,
	    manifest->len, &manifest->digest, err);

	if (r < 0)
		return err_wrap(err, "manifest");
	save(target, &manifest->digest, manifest->data, manifest->len);
	return 0;
}

/* Learns the layers of what was put; all that takes is in the store. */
static void learn(const struct push_target *target, const struct digest *digest)
{
	CLEANUP(image_put_p) struct image *image = NULL;
	const struct config *config = NULL;
	struct err err = ERR_INIT;

	if (image_open(target->images, target->repository, digest, &image,
		&err) == 0 &&
	    image_config(image, &config, &err) == 0)
		layers_learn_image(image);
	else
		log_debug(LOG_PUSH, "%s: its layers are not learned: %s",
		    target->repository, err.msg);
}

/* An image that is made of a config and layers: what its manifest is made
 * of. */
struct made_image {
	bool docker; /* Docker's media types, else OCI's */
	const char *config;
	size_t config_len;
	struct push_layer **layers;
	size_t layer_count;
};

static int print_manifest(const struct made_image *image,
    const struct descriptor *config, const char *media_type, struct buf *out,
    struct err *err)
{
	size_t count = image->layer_count;
	AUTO_FREE struct descriptor *layers =
	    calloc(count + 1, sizeof(*layers));

	if (!layers)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++) {
		const struct push_layer *layer = image->layers[i];

		layers[i].media_type =
		    layer_media_type(layer->compression, image->docker);
		layers[i].digest = layer->digest;
		layers[i].size = layer->blob_size;
	}
	return manifest_print(out, media_type, config, layers, count, err);
}

static int put_image(const struct push_target *target,
    const struct made_image *image, struct digest *out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
	struct archive_manifest manifest = {
	    .media_type =
		image->docker ? MEDIA_DOCKER_MANIFEST : MEDIA_OCI_MANIFEST};
	struct descriptor config = {.media_type = image->docker
						      ? MEDIA_DOCKER_CONFIG
						      : MEDIA_OCI_CONFIG,
	    .size = image->config_len};
	int r = digest_of(DIGEST_SHA256, image->config, image->config_len,
	    &config.digest, err);

	if (r == 0)
		r = put_config(target, image->config, image->config_len,
		    &config.digest, err);
	if (r == 0)
		r = print_manifest(image, &config, manifest.media_type, &text,
		    err);
	if (r == 0)
		r = digest_of(DIGEST_SHA256, text.data, text.len,
		    &manifest.digest, err);
	if (r < 0)
		return r;
	manifest.data = text.data;
	manifest.len = text.len;
	*out = manifest.digest;
	return put_manifest(target, target->tag, &manifest, err);
}

/* A compressed layer's content is whoever pulls to compare. */
static int check_diff_ids(const struct archive_contents *contents,
    struct push_layer *const *layers, struct err *err)
{
	char got[DIGEST_TEXT_SIZE], expected[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < contents->layer_count; i++) {
		const struct digest *diff_id = &contents->layers[i].diff_id;

		if (digest_is_set(&layers[i]->diff_id) &&
		    !digest_equal(&layers[i]->diff_id, diff_id))
			return err_set(err, EINVAL,
			    "layer %s is %s, but the config says %s",
			    layers[i]->name,
			    digest_format(&layers[i]->diff_id, got),
			    digest_format(diff_id, expected));
	}
	return 0;
}

static int push_docker(struct push_layers *set,
    const struct archive_reader *reader,
    const struct archive_contents *contents, struct digest *out,
    struct err *err)
{
	size_t count = contents->layer_count;
	AUTO_FREE struct push_layer **layers =
	    calloc(count + 1, sizeof(struct push_layer *));
	struct made_image image = {.config = contents->config_data,
	    .config_len = contents->config_len,
	    .layers = layers,
	    .layer_count = count};
	struct archive_entry entry;
	int r;

	if (!layers)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++) {
		layers[i] = want(set, archive_reader_fd(reader),
		    &contents->layers[i].entry, NULL, err);
		if (!layers[i])
			return -err->code;
	}
	push_layers_drop(set);
	r = push_layers_wait(set, err);
	if (r == 0)
		r = check_diff_ids(contents, layers, err);
	if (r < 0)
		return r;
	/* Without it, it was an OCI layout of one image. */
	image.docker = archive_reader_find(reader, "manifest.json", &entry);
	for (size_t i = 0; i < count; i++)
		image.docker &= layers[i]->compression != COMPRESSION_ZSTD;
	return put_image(set->target, &image, out, err);
}

/* Now, unless builds are to be reproducible
 * (reproducible-builds.org/specs/source-date-epoch). */
static int64_t creation_time(void)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t seconds;

	if (epoch && parse_u64(&epoch, INT64_MAX, &seconds) && !*epoch)
		return (int64_t)seconds;
	return time(NULL);
}

static int push_rootfs(struct push_layers *set,
    const struct archive_reader *reader,
    const struct archive_contents *contents, struct digest *out,
    struct err *err)
{
	AUTO_BUF struct buf config = BUF_INIT(CONFIG_MAX_BYTES);
	const struct archive_entry entry = {.name = "of the whole tar",
	    .size = contents->rootfs_size};
	struct push_layer *layer;
	struct made_image image = {.layers = &layer, .layer_count = 1};
	int r;

	push_layers_drop(set);
	layer = want(set, archive_reader_fd(reader), &entry, NULL, err);
	if (!layer)
		return -err->code;
	r = push_layers_wait(set, err);
	if (r == 0)
		r = config_print(&config,
		    &images_options(set->target->images)->platform,
		    creation_time(), &layer->diff_id, 1,
		    "Imported by registryfs", err);
	if (r < 0)
		return r;
	image.config = config.data;
	image.config_len = config.len;
	return put_image(set->target, &image, out, err);
}

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

static int push_config(const struct push_target *target, int fd,
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
		return err_set(err, EINVAL, "config %s is %s", blob->entry.name,
		    digest_format(&digest, text));
	return put_config(target, data, len, &digest, err);
}

static int want_blobs(struct push_layers *set, int fd,
    const struct archive_contents *contents, struct err *err)
{
	for (size_t i = 0; i < contents->blob_count; i++) {
		const struct archive_blob *blob = &contents->blobs[i];

		if (!is_config(contents, blob) &&
		    !want(set, fd, &blob->entry, &blob->descriptor->digest,
			err))
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

		if (!layer || digest_equal(&layer->digest, digest))
			continue;
		layer->wanted = false;
		layer = push_layers_start(set, fd, &blob->entry, digest, err);
		if (!layer)
			return -err->code;
		layer->wanted = true;
	}
	return 0;
}

static int push_oci_blobs(struct push_layers *set, int fd,
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
			r = push_config(set->target, fd, &contents->blobs[i],
			    err);
	return r;
}

static int push_oci(struct push_layers *set,
    const struct archive_reader *reader,
    const struct archive_contents *contents, struct digest *out,
    struct err *err)
{
	const struct push_target *target = set->target;
	size_t last = contents->manifest_count - 1;
	int r = push_oci_blobs(set, archive_reader_fd(reader), contents, err);

	for (size_t i = 0; i < last && r == 0; i++) {
		char text[DIGEST_TEXT_SIZE];

		digest_format(&contents->manifests[i].digest, text);
		r = put_manifest(target, text, &contents->manifests[i], err);
	}
	if (r == 0)
		r = put_manifest(target, target->tag,
		    &contents->manifests[last], err);
	for (size_t i = 0; i <= last && r == 0; i++)
		learn(target, &contents->manifests[i].digest);
	*out = contents->manifests[last].digest;
	return r;
}

static int push_contents(struct push_layers *set,
    const struct archive_reader *reader,
    const struct archive_contents *contents, struct digest *out,
    struct err *err)
{
	int r = -EINVAL;

	switch (contents->kind) {
	case ARCHIVE_DOCKER:
		r = push_docker(set, reader, contents, out, err);
		break;
	case ARCHIVE_ROOTFS:
		r = push_rootfs(set, reader, contents, out, err);
		break;
	case ARCHIVE_OCI:
		return push_oci(set, reader, contents, out, err);
	}
	if (r == 0)
		learn(set->target, out);
	return r;
}

int push_manifest(struct push_layers *set, const struct archive_reader *reader,
    struct digest *out, struct err *err)
{
	CLEANUP(archive_contents_free_p)
	struct archive_contents *contents = NULL;
	int r = archive_contents_read(reader, set->target->tag, &contents, err);

	if (r == 0)
		r = push_contents(set, reader, contents, out, err);
	if (r == 0)
		images_tag_changed(set->target->images, set->target->repository,
		    set->target->tag, out);
	return r;
}
