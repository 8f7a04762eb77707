/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a response: status and fields, line by line as they come. */
#ifndef CLIENT_HTTP_HEADER_H
#define CLIENT_HTTP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct header {
	int status;
	struct buf fields; /* "name\0value\0" each */
};

void header_init(struct header *header);
void header_release(struct header *header);

/*
 * Takes one line with its line end. A status line starts over: of several
 * headers in a row (100 Continue comes first) the last counts. 1 after the
 * empty line that ends one, 0 before, -EFBIG or -ENOMEM.
 */
int header_add_line(struct header *header, const char *line, size_t len,
    struct err *err);

/* The n-th field of that name, from 0, or NULL. */
const char *header_get(const struct header *header, const char *name, size_t n);

/* The body's length as announced, or -1. */
int64_t header_length(const struct header *header);

#endif
