/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of an image say of it in their attributes. */
#ifndef FS_IMAGE_INFO_H
#define FS_IMAGE_INFO_H

#include <sys/stat.h>

#include "image/images.h"
#include "xattr.h"

struct mount_source;
struct node;

/*
 * The config's `created` as the times of out, the attributes of node, where
 * there is one. Reads the config, once an image. What fails leaves out as it
 * is; node is then undated (node.h), unless another try could say no more.
 */
void image_stat_time(struct node *node, struct image *image, struct stat *out);

/* user.oci.* of an image directory: of the manifest that it names, and the
 * platform and date of the one that is shown (may be NULL). */
int image_add_xattrs(struct image *top, struct image *shown, struct xattrs *out,
    struct err *err);

/* user.registry.NAME: what the registry's service says of a repository (tag:
 * NULL) or of a tag (source_facts()), if one of these is asked for. */
#define XATTR_FACTS "user.registry."
int facts_add_xattrs(struct mount_source *source, const char *repository,
    const char *tag, struct xattrs *out, struct err *err);

#endif
