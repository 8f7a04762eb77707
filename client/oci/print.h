/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of documents that this program makes. */
#ifndef CLIENT_OCI_PRINT_H
#define CLIENT_OCI_PRINT_H

#include <jansson.h>

#include "oci/manifest.h"

/* Media type, digest and size, and artifact type and annotations where it has
 * them; a new reference, NULL when out of memory. */
json_t *descriptor_json(const struct descriptor *descriptor);

#endif
