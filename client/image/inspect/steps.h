/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a build, and the layers that they made. */
#ifndef CLIENT_IMAGE_INSPECT_STEPS_H
#define CLIENT_IMAGE_INSPECT_STEPS_H

#include <stdbool.h>

#include "image/images.h"
#include "oci/history.h"

enum { NO_LAYER = -1 };

struct steps {
	struct history *history;
	/* As many steps say that they made a layer as there are layers; else
	 * nobody can say which made which. */
	bool are_paired;
};

/* Reads the config. -EINVAL where its history is no history. */
int steps_read(struct image *image, struct steps *out, struct err *err);
void steps_release(struct steps *steps);

/* The layer that the next step made, counted from 0, or NO_LAYER where it made
 * none, or they are not paired. *next is 0 before the first. */
int steps_layer(const struct steps *steps, const struct history_step *step,
    int *next);

#endif
