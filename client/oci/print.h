/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of documents that this program makes. */
#ifndef CLIENT_OCI_PRINT_H
#define CLIENT_OCI_PRINT_H

#include <jansson.h>

#include "oci/manifest.h"

/* Media type, digest and size, and artifact type and annotations where it has
 * them; a new reference, NULL when out of memory. */
json_t *descriptor_json(const struct descriptor *descriptor);

enum { TIME_TEXT_SIZE = sizeof("9999-12-31T23:59:59Z") };

/* Seconds since 1970 as RFC 3339; -EINVAL where its year has not four digits.
 */
int time_format(int64_t seconds, char out[TIME_TEXT_SIZE], struct err *err);

#endif
