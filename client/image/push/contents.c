/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an archive becomes. Blobs before the manifests that name them, manifests
 * before the index that names them, the tag last: a push that breaks off
 * changes nothing that anybody sees.
 */
#include "contents.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "catalog/creation.h"
#include "manifest.h"

/* What a compressed layer holds is compared when it is pulled. */
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

/* Whether all layers can be named by Docker's media types, which know neither
 * zstd nor annotations. */
static bool can_be_docker(const struct push_image *image)
{
	for (size_t i = 0; i < image->layer_count; i++) {
		const struct layer_written *blob = &image->layers[i]->blob;

		if (layer_kind_plain(blob->kind) != LAYER_GZIP ||
		    blob->annotations.count > 0)
			return false;
	}
	return true;
}

/* The config with what its layers are now; `out` stays empty if they are what
 * it says. */
static int change_diff_ids(const struct archive_contents *contents,
    struct push_layer *const *layers, struct buf *out, struct err *err)
{
	size_t count = contents->layer_count;
	AUTO_FREE struct digest *diff_ids =
	    calloc(count + 1, sizeof(*diff_ids));
	bool changed = false;

	if (!diff_ids)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++) {
		diff_ids[i] = contents->layers[i].diff_id;
		if (!digest_is_set(&layers[i]->blob.diff_id))
			continue;
		diff_ids[i] = layers[i]->blob.diff_id;
		changed = true;
	}
	if (!changed)
		return 0;
	return config_change_diff_ids(out, contents->config_data,
	    contents->config_len, diff_ids, count, err);
}

static int push_docker(struct push_layers *set,
    const struct archive_reader *reader,
    const struct archive_contents *contents, struct digest *out,
    struct err *err)
{
	size_t count = contents->layer_count;
	AUTO_FREE struct push_layer **layers =
	    calloc(count + 1, sizeof(struct push_layer *));
	struct push_image image = {.config = contents->config_data,
	    .config_len = contents->config_len,
	    .layers = layers,
	    .layer_count = count};
	AUTO_BUF struct buf config = BUF_INIT(CONFIG_MAX_BYTES);
	struct archive_entry entry;
	int r;

	if (!layers)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++) {
		layers[i] = push_layers_want(set, archive_reader_fd(reader),
		    &contents->layers[i].entry, NULL, err);
		if (!layers[i])
			return -err->code;
	}
	push_layers_drop(set);
	r = push_layers_wait(set, err);
	if (r == 0)
		r = check_diff_ids(contents, layers, err);
	if (r == 0)
		r = change_diff_ids(contents, layers, &config, err);
	if (r < 0)
		return r;
	if (config.len > 0) {
		image.config = config.data;
		image.config_len = config.len;
	}
	/* No manifest.json: the archive was an OCI layout, so keep OCI media
	 * types. */
	image.docker = archive_reader_find(reader, "manifest.json", &entry) &&
		       source_can(images_source(set->target->images),
			   SOURCE_DOCKER_TYPES) &&
		       can_be_docker(&image);
	return push_image_put(set->target, &image, out, err);
}

static const struct digest *layer_diff_id(const struct push_layer *layer)
{
	return digest_is_set(&layer->blob.diff_id) ? &layer->blob.diff_id
						   : &layer->diff_id;
}

/* The archive itself is the one layer. */
static struct push_layer *want_rootfs(struct push_layers *set,
    const struct archive_reader *reader, uint64_t size,
    struct layer_plain *tree, struct err *err)
{
	const struct archive_entry entry = {.name = "of the whole tar",
	    .size = size};
	int fd = archive_reader_fd(reader);
	int r = layer_plain_check(tree, false, err);

	if (r < 0)
		return NULL;
	if (r == 0 && archive_reader_is_plain(reader))
		return push_layers_want(set, fd, &entry, NULL, err);
	return push_layers_want_tree(set, fd, &entry, tree, err);
}

static int push_rootfs(struct push_layers *set,
    const struct archive_reader *reader,
    const struct archive_contents *contents, struct layer_plain *tree,
    struct digest *out, struct err *err)
{
	AUTO_BUF struct buf config = BUF_INIT(CONFIG_MAX_BYTES);
	struct push_layer *layer;
	struct push_image image = {.layers = &layer, .layer_count = 1};
	int r;

	push_layers_drop(set);
	layer = want_rootfs(set, reader, contents->rootfs_size, tree, err);
	if (!layer)
		return -err->code;
	r = push_layers_wait(set, err);
	if (r == 0)
		r = config_print(&config,
		    &images_options(set->target->images)->platform,
		    creation_time(set->target->images), layer_diff_id(layer), 1,
		    "Imported by registryfs", err);
	if (r < 0)
		return r;
	image.config = config.data;
	image.config_len = config.len;
	return push_image_put(set->target, &image, out, err);
}

/* Learns the layers of what was put; all that takes is in the store. */
static void learn(const struct tag_ref *target, const struct digest *digest)
{
	CLEANUP(image_put_p) struct image *image = NULL;
	const struct config *config = NULL;
	struct err err = ERR_INIT;

	if (image_open(target->images, target->repository, digest, &image,
		&err) == 0 &&
	    image_config(image, &config, &err) == 0)
		layers_learn_image(image, config);
	else
		log_debug(LOG_PUSH, "%s: its layers are not learned: %s",
		    target->repository, err.msg);
}

/* *out is the digest that the tag names now. */
static int push_kind(struct push_layers *set,
    const struct archive_reader *reader,
    const struct archive_contents *contents, struct layer_plain *tree,
    struct digest *out, struct err *err)
{
	switch (contents->kind) {
	case ARCHIVE_DOCKER:
		return push_docker(set, reader, contents, out, err);
	case ARCHIVE_ROOTFS:
		return push_rootfs(set, reader, contents, tree, out, err);
	case ARCHIVE_OCI:
		*out = contents->manifests[contents->manifest_count - 1].digest;
		return push_oci(set, reader, contents, err);
	}
	assert(false);
	return -EINVAL;
}

int push_contents(struct push_layers *set, struct archive_reader *reader,
    struct layer_plain *tree, const char *name, struct digest *out,
    struct err *err)
{
	CLEANUP(archive_contents_free_p)
	struct archive_contents *contents = NULL;
	const struct tag_ref *target = set->target;
	const struct archive_wanted wanted = {.repository = target->repository,
	    .tag = target->tag,
	    .name = name};
	int r = archive_contents_read(reader, &wanted, &contents, err);

	if (r == 0)
		r = push_kind(set, reader, contents, tree, out, err);
	if (r < 0)
		return r;
	if (contents->left_out)
		log_warn("%s:%s is only the image that the archive's "
			 "manifest.json names, not the index, of which the "
			 "archive lacks %s",
		    target->repository, target->tag ? target->tag : "",
		    contents->left_out);
	if (!target->untagged)
		images_tag_changed(target->images, target->repository,
		    target->tag, out);
	learn(target, out);
	/* Of an index, its images. */
	for (size_t i = 0; i + 1 < contents->manifest_count; i++)
		learn(target, &contents->manifests[i].digest);
	return 0;
}
