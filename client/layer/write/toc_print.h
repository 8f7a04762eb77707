/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of a table of contents, as eStargz and zstd:chunked have it. */
#ifndef LAYER_TOC_PRINT_H
#define LAYER_TOC_PRINT_H

#include "base/buf.h"
#include "base/err.h"
#include "oci/digest.h"
#include "tar/walker.h"

/* A string with its quotes. -EOPNOTSUPP if it is not UTF-8: what JSON cannot
 * say. */
int toc_print_string(struct buf *out, const char *text, struct err *err);

/* An entry without what is known of its data, and without its last brace.
 * -EOPNOTSUPP for what cannot be said. */
int toc_print_entry(struct buf *out, const struct tar_entry *entry,
    struct err *err);

/* ,"NAME":"sha256:…" */
int toc_print_digest(struct buf *out, const char *name,
    const struct digest *digest, struct err *err);

/* ,"NAME":NUMBER, unless it is 0, which is the same as not to say it. */
int toc_print_number(struct buf *out, const char *name, uint64_t number,
    struct err *err);

#endif
