/* SPDX-License-Identifier: Apache-2.0 */
/* What the images of all sources of a mount share, since it is of no source:
 * the store, the layers in use, the journal and the list of pushes. */
#ifndef IMAGE_SHARED_H
#define IMAGE_SHARED_H

#include "base/cleanup.h"
#include "base/err.h"
#include "image/journal.h"
#include "image/pushes.h"
#include "store/store.h"

struct images_shared;

/* store is borrowed and outlives it. NULL: err filled. */
struct images_shared *images_shared_new(struct store *store, struct err *err);
void images_shared_free(struct images_shared *shared);

DEFINE_CLEANUP(struct images_shared *, images_shared_free);

/* Borrowed, as long as it lives. */
struct store *images_shared_store(struct images_shared *shared);
struct journal *images_shared_journal(struct images_shared *shared);
struct pushes *images_shared_pushes(struct images_shared *shared);

#endif
