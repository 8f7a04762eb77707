/* SPDX-License-Identifier: Apache-2.0 */
/* The contents of an archive while they are made. */
#include "draft.h"

#include <errno.h>
#include <stdlib.h>

#include "read.h"

int draft_set_image(struct draft *draft, const struct archive_entry *config,
    struct archive_layer *layers, size_t layer_count, struct err *err)
{
	struct archive_contents *contents = &draft->contents;
	int r = read_file(draft->reader, config, CONFIG_MAX_BYTES,
	    &draft->arena, &contents->config_data, err);

	if (r < 0)
		return r;
	contents->config_len = (size_t)config->size;
	r = config_parse(contents->config_data, contents->config_len,
	    &draft->config, err);
	if (r < 0)
		return err_wrap(err, "%s", config->name);
	if (draft->config->diff_id_count != layer_count)
		return err_set(err, EINVAL,
		    "the config %s lists %zu layers, but the archive has %zu",
		    config->name, draft->config->diff_id_count, layer_count);
	for (size_t i = 0; i < layer_count; i++)
		layers[i].diff_id = draft->config->diff_ids[i];
	contents->kind = ARCHIVE_DOCKER;
	contents->config = draft->config;
	contents->layers = layers;
	contents->layer_count = layer_count;
	return 0;
}

void draft_free(struct draft *draft)
{
	oci_blobs_free(draft->blobs);
	docker_archive_free(draft->docker);
	config_free(draft->config);
	arena_release(&draft->arena);
	free(draft);
}
