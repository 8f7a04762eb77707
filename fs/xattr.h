/* SPDX-License-Identifier: Apache-2.0 */
/* A node's extended attributes: a few names with short values. */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "oci/manifest.h"

/* "NAME\0LENGTH(4 bytes)VALUE" one after the other. */
struct xattrs {
	struct buf data;
};

/* Annotations are at most as long as a manifest; the kernel takes 64 KiB. */
/* clang-format off */
#define XATTRS_INIT {BUF_INIT(1 << 20)}
/* clang-format on */
void xattrs_release(struct xattrs *xattrs);

int xattrs_add(struct xattrs *xattrs, const char *name, const char *value,
    struct err *err);
int xattrs_add_digest(struct xattrs *xattrs, const char *name,
    const struct digest *digest, struct err *err);
int xattrs_add_number(struct xattrs *xattrs, const char *name, uint64_t value,
    struct err *err);

/* user.oci.digest, .mediatype, .size and .annotation.NAME of a descriptor. */
int xattrs_add_descriptor(struct xattrs *xattrs,
    const struct descriptor *descriptor, struct err *err);
int xattrs_add_annotations(struct xattrs *xattrs,
    const struct annotation *annotations, size_t count, struct err *err);

/* The value of that name (*len bytes), or NULL. */
const char *xattrs_find(const struct xattrs *xattrs, const char *name,
    size_t *len);

/* Appends all names, each with its NUL, as listxattr(2) wants them. */
int xattrs_names(const struct xattrs *xattrs, struct buf *out, struct err *err);

#endif
