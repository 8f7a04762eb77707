/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a layer's blob can be had: one source for each repository that it was
 * found in. Given to the store as one source that asks them in turn.
 */
#ifndef LAYER_ORIGINS_H
#define LAYER_ORIGINS_H

#include "base/cleanup.h"
#include "base/err.h"
#include "store/store.h"

struct origins;

/* Takes the source, also on failure. */
int origins_new(const struct store_source *source, struct origins **out,
    struct err *err);
struct origins *origins_get(struct origins *origins);
void origins_put(struct origins *origins);

DEFINE_CLEANUP(struct origins *, origins_put);

/* Takes one more; it may be released at once. */
void origins_add(struct origins *origins, const struct store_source *source);

/* A source that holds the origins. */
struct store_source origins_source(struct origins *origins);

#endif
