/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of layer/plain.h share. */
#ifndef LAYER_PLAIN_STATE_H
#define LAYER_PLAIN_STATE_H

#include "builder_state.h"
#include "layer/plain.h"

struct layer_plain {
	char *dir;
	struct builder *builder;
	bool has_odd;       /* entries that are not plain */
	struct err trouble; /* why no entry is taken any more; code 0: none */
};

/* The path of an entry as tars have it: "./" of the root, and a slash at the
 * end of a directory's. -EINVAL where it is too long for one. */
int plain_path(struct builder *builder, uint32_t number, struct buf *out,
    struct err *err);

#endif
