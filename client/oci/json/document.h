/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents from strangers: read within limits, and taken apart. */
#ifndef CLIENT_OCI_DOCUMENT_H
#define CLIENT_OCI_DOCUMENT_H

#include <jansson.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "oci/digest.h"

/*
 * Reads a whole document of at most `limit` bytes whose root is of the given
 * type. *out is the caller's reference. -EINVAL with a sentence.
 */
int document_read(const void *data, size_t len, size_t limit, json_type type,
    json_t **out, struct err *err);

/*
 * The member of an object, borrowed; NULL where it is absent or null, which is
 * how Go writes an empty list. -EINVAL if it is of another type.
 */
int document_member(const json_t *object, const char *name, json_type type,
    json_t **out, struct err *err);

/* A string member, copied to the arena; NULL where there is none. */
int document_text(const json_t *object, const char *name, struct arena *arena,
    const char **out, struct err *err);

/* The same into out, of size bytes; "" where there is none. */
int document_short_text(const json_t *object, const char *name, char *out,
    size_t size, struct err *err);

/* A digest that must be there; value may be NULL. */
int document_digest(const json_t *value, struct digest *out, struct err *err);

/* Prints compactly, members in the order in which they were added. */
int document_print(const json_t *document, struct buf *out, struct err *err);

/* The same on many lines, as docker's engine prints its manifests. */
int document_print_indented(const json_t *document, struct buf *out,
    struct err *err);

#endif
