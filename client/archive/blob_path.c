/* SPDX-License-Identifier: Apache-2.0 */
/* Where a blob is in an OCI layout. */
#include "blob_path.h"

#include <stdio.h>

const char *blob_path(const struct digest *digest, char out[BLOB_PATH_SIZE])
{
	char hex[DIGEST_TEXT_SIZE];

	snprintf(out, BLOB_PATH_SIZE, "blobs/%s/%s",
	    digest_algorithm_name(digest->algorithm), digest_hex(digest, hex));
	return out;
}
