/* SPDX-License-Identifier: Apache-2.0 */
/* Images with another layer, another config, another annotation. */
#include "image/change.h"

#include <errno.h>
#include <string.h>

#include "catalog/progress.h"
#include "changing.h"
#include "image/copy.h"
#include "oci/edit.h"
#include "push/manifest.h"
#include "push/new_layer.h"

/* Puts a config, and prints the manifest that names it and the layer. */
static int edit_image(struct image *image, const struct tag_ref *target,
    const void *config, size_t config_len, const struct descriptor *layer,
    struct buf *out, struct err *err)
{
	struct descriptor descriptor = {.size = config_len};
	int r = digest_of(DIGEST_SHA256, config, config_len, &descriptor.digest,
	    err);

	if (r == 0)
		r = push_config_put(target, config, config_len,
		    &descriptor.digest, err);
	return r < 0 ? r
		     : manifest_edit(out, image->data, image->len, &descriptor,
			   layer, err);
}

/* The manifest of an image with one more layer. */
static int add_layer(struct image *image, const struct tag_ref *target,
    struct spool *spool, const char *name, struct buf *out, struct err *err)
{
	AUTO_BUF struct buf before = BUF_INIT(CONFIG_MAX_BYTES);
	AUTO_BUF struct buf config = BUF_INIT(CONFIG_MAX_BYTES);
	struct new_layer layer = {0};
	int r = new_layer_bring(&layer, target, spool, name,
	    image->manifest->media_type, err);

	if (r == 0)
		r = image_config_bytes(image, &before, err);
	if (r == 0)
		r = new_layer_config(&layer, &before, &config, err);
	return r < 0 ? r
		     : edit_image(image, target, config.data, config.len,
			   &layer.descriptor, out, err);
}

/* On top of what the tag names. */
static int add_to_tag(const struct tag_ref *target, struct spool *spool,
    const char *name, struct digest *out, struct err *err)
{
	CLEANUP(changing_end) struct changing changing = {.target = target};
	AUTO_BUF struct buf manifest = BUF_INIT(MANIFEST_MAX_BYTES);
	int r = changing_begin_image(&changing, err);

	if (r == 0)
		r = add_layer(changing.shown, target, spool, name, &manifest,
		    err);
	return r < 0
		   ? r
		   : changing_put_image(&changing, manifest.data, manifest.len,
			 changing.shown->manifest->media_type, out, err);
}

/* On top of another image. */
static int add_to_image(struct image *base, const struct tag_ref *target,
    struct spool *spool, const char *name, struct digest *out, struct err *err)
{
	AUTO_BUF struct buf manifest = BUF_INIT(MANIFEST_MAX_BYTES);
	CLEANUP(image_put_p) struct image *image = NULL;
	int r = image_platform(base, &image, err);

	if (r == 0 && !manifest_is_image(image->manifest))
		r = err_set(err, EINVAL,
		    "the base is an artifact, not an image: it has no layers");
	if (r == 0)
		r = image_bring(image, target, err);
	if (r == 0)
		r = add_layer(image, target, spool, name, &manifest, err);
	return r < 0 ? r
		     : changing_put_bytes(target, manifest.data, manifest.len,
			   image->manifest->media_type, out, err);
}

/* base NULL: what the tag names. It is a push like others. */
static int push_layer(struct image *base, const struct tag_ref *target,
    struct spool *spool, const char *name, struct err *err)
{
	struct push_progress progress;
	struct tag_ref noted = *target;
	struct digest digest;
	int r;

	noted.progress = &progress;
	progress_begin(&progress, target->images, target->repository,
	    target->tag);
	atomic_store(&progress.received, spool_size(spool));
	atomic_store(&progress.complete, true);
	r = base ? add_to_image(base, &noted, spool, name, &digest, err)
		 : add_to_tag(&noted, spool, name, &digest, err);
	progress_end(&progress, r < 0 ? NULL : &digest, err);
	return r;
}

int change_add_layer(const struct tag_ref *target, struct spool *spool,
    const char *name, struct err *err)
{
	return push_layer(NULL, target, spool, name, err);
}

int image_add_layer(struct image *base, const struct tag_ref *target,
    struct spool *spool, const char *name, struct err *err)
{
	return push_layer(base, target, spool, name, err);
}

/* Whether a config can stand in the place of another one. */
/* What an index says of the image, its config says, too. */
static int check_platform(const struct platform *now,
    const struct platform *before, struct err *err)
{
	char a[PLATFORM_TEXT_SIZE], b[PLATFORM_TEXT_SIZE];

	if (strcmp(platform_format(now, '/', a),
		platform_format(before, '/', b)) == 0)
		return 0;
	return err_set(err, EINVAL,
	    "the config is for %s, but the index has the image for %s", a, b);
}

static int check_config(struct image *image, const void *data, size_t len,
    bool in_index, struct err *err)
{
	CLEANUP(config_free_p) struct config *config = NULL;
	const struct config *before = NULL;
	int r = config_parse(data, len, &config, err);

	if (r == 0)
		r = image_config(image, &before, err);
	if (r < 0)
		return r;
	if (!*config->platform.os || !*config->platform.architecture)
		return err_set(err, EINVAL,
		    "the config lacks os or architecture");
	if (in_index &&
	    check_platform(&config->platform, &before->platform, err) < 0)
		return -err->code;
	if (config->diff_id_count != before->diff_id_count)
		return err_set(err, EINVAL,
		    "the config has %zu diff_ids, but the image has %zu layers",
		    config->diff_id_count, before->diff_id_count);
	for (size_t i = 0; i < config->diff_id_count; i++)
		if (!digest_equal(&config->diff_ids[i], &before->diff_ids[i]))
			return err_set(err, EINVAL,
			    "diff_ids[%zu] of the config is not the digest of "
			    "the image's layer",
			    i);
	return 0;
}

/* Whether it is the image's config as it stands, after which nothing changes:
 * a manifest that names it would be printed in another way. 1, 0. */
static int has_config(const struct image *image, const void *data, size_t len,
    struct err *err)
{
	const struct digest *there = &image->manifest->config.digest;
	struct digest digest;
	int r;

	if (!digest_is_set(there))
		return 0;
	r = digest_of(there->algorithm, data, len, &digest, err);
	return r < 0 ? r : digest_equal(&digest, there);
}

int change_config(const struct tag_ref *target, const void *data, size_t len,
    struct err *err)
{
	CLEANUP(changing_end) struct changing changing = {.target = target};
	AUTO_BUF struct buf manifest = BUF_INIT(MANIFEST_MAX_BYTES);
	struct digest tag;
	int r = changing_begin_image(&changing, err);

	if (r == 0)
		r = has_config(changing.shown, data, len, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = check_config(changing.shown, data, len,
	    changing.top != changing.shown &&
		!digest_equal(&changing.top->digest, &changing.shown->digest),
	    err);
	if (r == 0)
		r = edit_image(changing.shown, target, data, len, NULL,
		    &manifest, err);
	return r < 0
		   ? r
		   : changing_put_image(&changing, manifest.data, manifest.len,
			 changing.shown->manifest->media_type, &tag, err);
}

int change_annotation(const struct tag_ref *target, const char *name,
    const char *value, struct err *err)
{
	CLEANUP(changing_end) struct changing changing = {.target = target};
	AUTO_BUF struct buf manifest = BUF_INIT(MANIFEST_MAX_BYTES);
	struct digest digest;
	int r = changing_begin(&changing, err);

	if (r == 0)
		r = manifest_annotate(&manifest, changing.top->data,
		    changing.top->len, name, value, err);
	return r < 0 ? r
		     : changing_put_bytes(target, manifest.data, manifest.len,
			   changing.top->manifest->media_type, &digest, err);
}
