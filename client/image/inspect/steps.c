/* SPDX-License-Identifier: Apache-2.0 */
/* Which step of a build made which layer. */
#include "steps.h"

#include "oci/manifest.h"

int steps_read(struct image *image, struct steps *out, struct err *err)
{
	AUTO_BUF struct buf config = BUF_INIT(CONFIG_MAX_BYTES);
	int r = image_config_bytes(image, &config, err);

	*out = (struct steps){0};
	if (r == 0)
		r = history_parse(config.data, config.len, &out->history, err);
	if (r < 0)
		return r;
	out->are_paired = out->history->layers == image->manifest->entry_count;
	return 0;
}

void steps_release(struct steps *steps)
{
	history_free(steps->history);
}

int steps_layer(const struct steps *steps, const struct history_step *step,
    int *next)
{
	return steps->are_paired && !step->is_empty ? (*next)++ : NO_LAYER;
}
