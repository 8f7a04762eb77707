/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a push can know before it has compressed anything: which layers the
 * registry's images have.
 */
#ifndef IMAGE_PUSH_KNOWN_H
#define IMAGE_PUSH_KNOWN_H

#include <stdbool.h>

#include "base/turn.h"
#include "blob.h"
#include "image/layers.h"
#include "layer/writer.h"

struct push_known {
	const struct tag_ref *target;
	struct layer_format format; /* what layers are to be compressed as */
	struct monitor monitor;

	/* In the monitor. */
	struct turn turn; /* at asking the registry */
	bool asked;
	/* The repository has images with layers that could be taken, and they
	 * were read. */
	bool familiar;
};

/* The format is that of the images' options; set another one before use. */
void push_known_init(struct push_known *known, const struct tag_ref *target);
void push_known_release(struct push_known *known);

/*
 * The first that calls it reads what images the repository has, as far as that
 * is quick; all others wait until it has. Whatever the registry does not tell
 * is just not known. 0 or -EINTR.
 */
int push_known_learn(struct push_known *known, struct err *err);

/* After that: whether a layer of this diff_id (unset: any) is likely to be one
 * that is known. */
bool push_known_likely(struct push_known *known, const struct digest *diff_id);

/* Looks for a layer of that diff_id in the registry, in the format that pushes
 * are to have. 1: the repository has the blob in *out now; 0: it has none. */
int push_known_find(struct push_known *known, const struct digest *diff_id,
    struct layer_written *out, struct err *err);

#endif
