/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of any kind (paths, what servers say) for formats that have rules.
 * Errors as buf_add().
 *
 * A JSON string and a label are UTF-8: each byte that belongs to none becomes
 * U+FFFD.
 */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/buf.h"

/* A JSON string (RFC 8259, section 7), with its quotes. */
int escape_json(struct buf *out, const char *text, struct err *err);

/*
 * A text for a terminal, on one line: what controls it (C0, DEL, C1) and what
 * changes the direction of writing is printed as an escape of C: \n, \t, \x1b,
 * \u202e; and so is a byte that is not UTF-8: \xff. A backslash stays as it is.
 */
int escape_visible(struct buf *out, const char *text, struct err *err);

/* The same in HTML or XML, in an element or a quoted attribute. */
int escape_html(struct buf *out, const char *text, struct err *err);

/* A label's value in Prometheus' text format, with its quotes. */
int escape_label(struct buf *out, const char *text, struct err *err);

#endif
