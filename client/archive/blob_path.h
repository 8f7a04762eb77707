/* SPDX-License-Identifier: Apache-2.0 */
/* Where a blob is in an OCI layout, image-layout.md "Blobs". */
#ifndef ARCHIVE_BLOB_PATH_H
#define ARCHIVE_BLOB_PATH_H

#include "oci/digest.h"

enum { BLOB_PATH_SIZE = sizeof("blobs//") + DIGEST_TEXT_SIZE };

/* "blobs/sha256/HEX". Returns out. */
const char *blob_path(const struct digest *digest, char out[BLOB_PATH_SIZE]);

#endif
