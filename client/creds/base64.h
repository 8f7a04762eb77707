/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, RFC 4648 section 4. New strings that may hold secrets. */
#ifndef CREDS_BASE64_H
#define CREDS_BASE64_H

#include <stddef.h>

#include "base/err.h"

/* Decodes all of text, with or without padding. *out is NUL-terminated.
 * -EINVAL for what is no base64. */
int base64_decode(const char *text, char **out, struct err *err);

/* prefix, and the encoded bytes behind it. NULL when out of memory. */
char *base64_encode(const char *prefix, const char *data, size_t len);

#endif
