/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that is kept until the layer's files have been written: compressed, as
 * it is hundreds of bytes for each entry. In a zstd:chunked layer it is
 * written as it is kept.
 */
#ifndef LAYER_TOC_TEXT_H
#define LAYER_TOC_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

struct toc_text;

int toc_text_new(struct toc_text **out, struct err *err);
void toc_text_free(struct toc_text *text);

DEFINE_CLEANUP(struct toc_text *, toc_text_free);

/* -EFBIG where nobody would read so much. */
int toc_text_add(struct toc_text *text, const void *data, size_t len,
    struct err *err);

/* Ends it. *out (which lives as long as the text) is a zstd frame of *size
 * bytes of text. */
int toc_text_end(struct toc_text *text, const struct buf **out, uint64_t *size,
    struct err *err);

#endif
