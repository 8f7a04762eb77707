/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a zstd frame, RFC 8878 section 3.1.1.1: what it asks for. */
#ifndef STREAM_ZSTD_HEADER_H
#define STREAM_ZSTD_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZSTD_HEADER_MAX = 18 };

/* How many bytes there have to be to go on, of which `len` are there: at most
 * `len` when all are. Of what is no frame with contents, the magic number. */
size_t zstd_header_need(const uint8_t *header, size_t len);

/* The memory that a decoder of the frame needs for its window; 0 of what is no
 * frame with contents. Of a header that is there. */
uint64_t zstd_header_window(const uint8_t *header);

#endif
