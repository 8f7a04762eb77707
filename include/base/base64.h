/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, RFC 4648 section 4. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/err.h"

/*
 * Decodes len characters, with or without padding. *out is a new string of
 * *out_len bytes with a NUL after them. -EINVAL for what is no base64.
 */
int base64_decode(const char *text, size_t len, char **out, size_t *out_len,
    struct err *err);

/* A new string: prefix, and the encoded bytes after it. NULL when out of
 * memory. */
char *base64_encode(const char *prefix, const char *data, size_t len);

#endif
