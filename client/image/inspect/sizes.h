/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes as people read them. */
#ifndef CLIENT_IMAGE_INSPECT_SIZES_H
#define CLIENT_IMAGE_INSPECT_SIZES_H

#include <stdint.h>

enum { SIZE_TEXT_SIZE = sizeof("1.23e+03MB") };

/* Three digits and a unit of 1000, as docker prints them: "0B", "27.1MB"; "~"
 * for SIZE_UNKNOWN. */
void size_format(uint64_t bytes, char out[SIZE_TEXT_SIZE]);

#endif
