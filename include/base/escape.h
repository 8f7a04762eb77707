/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of any kind (paths, what servers say) for formats that have rules. Both
 * want UTF-8: each byte that belongs to none becomes U+FFFD. Errors as
 * buf_add().
 */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/buf.h"

/* A JSON string (RFC 8259, section 7), with its quotes. */
int escape_json(struct buf *out, const char *text, struct err *err);

/* A label's value in Prometheus' text format, with its quotes. */
int escape_label(struct buf *out, const char *text, struct err *err);

#endif
