/* SPDX-License-Identifier: Apache-2.0 */
/* Times and extended attributes of images. */
#include "image_info.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "image/inspect.h"
#include "mount.h"
#include "node.h"

/* For how long it is used, at least: a list of all tags may take many requests.
 */
enum { FACTS_AGE = 60 }; /* seconds */

/* Whether another try could bring the config: there is one, and what it says is
 * not what failed. */
static bool may_heal(int r)
{
	return r < 0 && r != -ENOENT && r != -EINVAL && r != -EFBIG;
}

void image_stat_time(struct node *node, struct image *image, struct stat *out)
{
	CLEANUP(image_put_p) struct image *shown = NULL;
	const struct config *config = NULL;
	int r = image_platform(image, &shown, ERR_IGNORE);

	if (r == 0)
		r = image_config(shown, &config, ERR_IGNORE);
	if (config && config->has_created)
		mount_stat_time(out, config->created, config->created_nanos);
	atomic_store(&node->undated, may_heal(r));
}

static int add_config_xattrs(const struct config *config, struct xattrs *out,
    struct err *err)
{
	char text[PLATFORM_TEXT_SIZE], created[TIME_TEXT_SIZE];
	int r = 0;

	if (*config->platform.os)
		r = xattrs_add(out, "user.oci.platform",
		    platform_format(&config->platform, '/', text), err);
	if (r < 0 || !config->has_created)
		return r;
	r = time_format(config->created, created, err);
	return r < 0 ? r : xattrs_add(out, "user.oci.created", created, err);
}

/* What kind of artifact it is: image-spec manifest.md, "artifactType". NULL for
 * an image, and for what says nothing. */
static const char *artifact_type(const struct manifest *manifest)
{
	const char *config = manifest->config.media_type;

	if (manifest->artifact_type)
		return manifest->artifact_type;
	if (!digest_is_set(&manifest->config.digest) ||
	    manifest_is_image(manifest) || !strcmp(config, MEDIA_OCI_CONFIG) ||
	    !strcmp(config, MEDIA_OCI_EMPTY))
		return NULL;
	return config;
}

/* Unpacked only where all layers have an index. */
static int add_layers_xattrs(struct image *image, struct xattrs *out,
    struct err *err)
{
	struct image_sizes sizes;
	int r;

	if (!manifest_is_image(image->manifest))
		return 0;
	sizes = image_sizes(image);
	r = xattrs_add_number(out, "user.oci.layer_count",
	    image->manifest->entry_count, err);
	if (r == 0)
		r = xattrs_add_number(out, "user.oci.layers_size", sizes.layers,
		    err);
	if (r == 0 && sizes.unpacked != SIZE_UNKNOWN)
		r = xattrs_add_number(out, "user.oci.unpacked_size",
		    sizes.unpacked, err);
	return r;
}

int image_add_xattrs(struct image *top, struct image *shown, struct xattrs *out,
    struct err *err)
{
	const struct manifest *manifest = top->manifest;
	const char *type = artifact_type(manifest);
	const struct config *config = NULL;
	struct err unreadable = ERR_INIT;
	int r = xattrs_add_digest(out, "user.oci.digest", &top->digest, err);

	if (r == 0)
		r = xattrs_add(out, "user.oci.mediatype", manifest->media_type,
		    err);
	if (r == 0 && type)
		r = xattrs_add(out, XATTR_ARTIFACT_TYPE, type, err);
	if (r == 0)
		r = xattrs_add_number(out, "user.oci.size", top->len, err);
	if (r == 0)
		r = xattrs_add_annotations(out, manifest->annotations,
		    manifest->annotation_count, err);
	if (r == 0 && shown)
		r = add_layers_xattrs(shown, out, err);
	if (r < 0 || !shown)
		return r;
	r = image_config(shown, &config, &unreadable);
	/* That the image has no time, say, is known only when it was read. */
	if (may_heal(r)) {
		*err = unreadable;
		return r;
	}
	if (r < 0 || !config)
		return 0;
	return add_config_xattrs(config, out, err);
}

static int add_fact(void *arg, const char *name, const char *value,
    struct err *err)
{
	char full[64];
	int len = snprintf(full, sizeof(full), XATTR_FACTS "%s", name);

	if (len < 0 || (size_t)len >= sizeof(full))
		return 0;
	return xattrs_add(arg, full, value, err);
}

int facts_add_xattrs(struct mount_source *source, const char *repository,
    const char *tag, struct xattrs *out, struct err *err)
{
	unsigned ttl = (unsigned)source->tag_ttl;

	if (!xattrs_wants(out, XATTR_FACTS))
		return 0;
	return source_facts(images_source(source->images), repository, tag,
	    ttl > FACTS_AGE ? ttl : FACTS_AGE, add_fact, out, err);
}
