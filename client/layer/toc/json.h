/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of a table of contents, as it comes: tens of megabytes, of which one
 * entry is in memory. What the members of an entry mean together is left to
 * whoever takes it.
 */
#ifndef LAYER_TOC_JSON_H
#define LAYER_TOC_JSON_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "entry.h"

/* Takes an entry, which is valid during the call. */
typedef int toc_entry_fn(void *arg, const struct toc_entry *entry,
    struct err *err);

struct toc_json;

int toc_json_new(toc_entry_fn *take, void *arg, struct toc_json **out,
    struct err *err);

/* Takes the next bytes. -EINVAL for what is no table of contents, with a
 * sentence; errors of take() pass through, and say for which entry. */
int toc_json_feed(struct toc_json *json, const void *data, size_t len,
    struct err *err);

/* -EINVAL if there should be more. */
int toc_json_end(struct toc_json *json, struct err *err);
void toc_json_free(struct toc_json *json);

DEFINE_CLEANUP(struct toc_json *, toc_json_free);

#endif
