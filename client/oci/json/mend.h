/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that Go's readers take and jansson does not. */
#ifndef OCI_MEND_H
#define OCI_MEND_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends the text with U+FFFD in the place of bytes that are no UTF-8, of
 * escapes of half a surrogate pair, as Go has it, and of "\u0000", with which
 * no text of ours could go on; with the nearest there is of numbers that are
 * too large; and with null for what is nested more than max_depth levels deep,
 * which nobody asks for. What else is wrong with it stays so.
 */
int json_mend(const char *text, size_t len, size_t max_depth, struct buf *out,
    struct err *err);

#endif
