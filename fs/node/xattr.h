/* SPDX-License-Identifier: Apache-2.0 */
/* A node's extended attributes: a few names with short values. */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "oci/manifest.h"

#define XATTR_ARTIFACT_TYPE "user.oci.artifacttype"

/* One after the other: a byte that says whether it is listed, "NAME\0", the
 * length (4 bytes), the value. */
struct xattrs {
	struct buf data;
	bool no_acls;       /* all of that file system lacks them */
	const char *wanted; /* the one that is asked for; NULL: all are */
};

/* Annotations are at most as long as a manifest; the kernel takes 64 KiB. */
/* clang-format off */
#define XATTRS_INIT {BUF_INIT(2 << 20), false, NULL}
/* clang-format on */
void xattrs_release(struct xattrs *xattrs);

/* Whether those that begin so are asked for, or one of them. */
bool xattrs_wants(const struct xattrs *xattrs, const char *prefix);

/* One that is listed; name and value are copied. -EFBIG past the limit of all
 * of them, -ENOMEM. */
int xattrs_add(struct xattrs *xattrs, const char *name, const char *value,
    struct err *err);
int xattrs_add_bytes(struct xattrs *xattrs, const char *name, const void *value,
    size_t len, struct err *err);
/* One that is found by its name and not listed. */
int xattrs_add_hidden(struct xattrs *xattrs, const char *name,
    const char *value, struct err *err);
int xattrs_add_digest(struct xattrs *xattrs, const char *name,
    const struct digest *digest, struct err *err);
int xattrs_add_number(struct xattrs *xattrs, const char *name, uint64_t value,
    struct err *err);

/* user.oci.digest, .mediatype, .size and .annotation.NAME of a descriptor. */
int xattrs_add_descriptor(struct xattrs *xattrs,
    const struct descriptor *descriptor, struct err *err);
int xattrs_add_annotations(struct xattrs *xattrs,
    const struct annotation *annotations, size_t count, struct err *err);

/* user.oci.stale: the time (seconds since 1970; 0: none) at which was seen what
 * is shown. */
int xattrs_add_stale(struct xattrs *xattrs, time_t seen, struct err *err);

/* The value of that name (*len bytes), or NULL. */
const char *xattrs_find(const struct xattrs *xattrs, const char *name,
    size_t *len);

/* Appends the listed names, each with its NUL, as listxattr(2) wants them: as
 * many as fit, and none whose value the kernel would not pass on. */
int xattrs_names(const struct xattrs *xattrs, struct buf *out, struct err *err);

#endif
