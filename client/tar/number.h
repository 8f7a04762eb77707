/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in tar headers: octal text, or GNU's base-256. */
#ifndef TAR_NUMBER_H
#define TAR_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octal, padded on either side with spaces and NULs; all padding is 0. */
bool tar_octal_parse(const uint8_t *field, size_t len, int64_t *out);

/* The same, or base-256 (two's complement) where the first bit is set. */
bool tar_number_parse(const uint8_t *field, size_t len, int64_t *out);

/* Octal digits and a NUL; false where value does not fit. */
bool tar_octal_print(uint8_t *field, size_t len, uint64_t value);

#endif
