/* SPDX-License-Identifier: Apache-2.0 */
/* How far a push is: what its threads note, and others read. */
#ifndef IMAGE_PROGRESS_H
#define IMAGE_PROGRESS_H

#include <stdatomic.h>

#include "base/cleanup.h"
#include "image/journal.h"
#include "image/pushes.h"

struct images;

struct push_progress {
	/* Constant while it is under way. */
	struct pushes *pushes; /* NULL: it has ended, or never began */
	const char *registry;  /* its source's name */
	const char *repository, *tag;
	struct timespec began, began_clock; /* real time, monotonic */

	/* Of any thread of the push. */
	atomic_uint_fast64_t received, sent;
	atomic_uint layers, layers_done;
	atomic_bool complete;

	struct push_progress *next, **link; /* under the lock of pushes */
};

/* journal is borrowed and outlives it. */
struct pushes *pushes_new(struct journal *journal, struct err *err);
void pushes_free(struct pushes *pushes);

/* The push is under way until progress_end(); names are borrowed. */
void progress_begin(struct push_progress *progress, struct images *images,
    const char *repository, const char *tag);

/* It is pushed, or (digest NULL) has failed with err. Does nothing where it is
 * not under way. */
void progress_end(struct push_progress *progress, const struct digest *digest,
    const struct err *err);

#endif
