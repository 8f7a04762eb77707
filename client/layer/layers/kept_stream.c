/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer decodes to, as the store keeps it and as the layer has it. */
#include "kept_stream.h"

#include <errno.h>

#include "excerpt.h"
#include "layer/index.h"

bool layer_stream_is_there(struct layer *layer)
{
	return layer->stream && !layer->stream_lost;
}

bool layer_has_stream(struct layer *layer)
{
	bool there;

	monitor_enter(&layer->monitor);
	there = layer_stream_is_there(layer);
	monitor_leave(&layer->monitor);
	return there;
}

void layer_lose_stream(struct layer *layer, struct blob *stream)
{
	if (blob_verified(stream))
		return;
	monitor_enter(&layer->monitor);
	layer->stream_lost = true;
	monitor_leave(&layer->monitor);
}

static int no_source(void *arg, const struct digest *digest, uint64_t offset,
    uint64_t len, struct sink *sink, struct err *err)
{
	(void)arg;
	(void)digest;
	(void)offset;
	(void)len;
	(void)sink;
	return err_set(err, ENOENT, "the decoded layer is no longer kept");
}

static void release_nothing(void *arg)
{
	(void)arg;
}

/* Has the store look at what it has of one: it may have to be hashed, or was
 * rebuilt. */
static void look_again(struct blob *stream)
{
	char first;

	blob_read_verified(stream, &first, 1, 0, ERR_IGNORE);
}

int layer_find_stream(struct layer *layer, struct err *err)
{
	const struct layer_facts *facts = layer_index_facts(layer->index);
	const struct store_source none = {.fetch = no_source,
	    .release = release_nothing};
	CLEANUP(blob_put_p) struct blob *blob = NULL;
	int r = store_get(layer->table->store, &facts->stream,
	    facts->stream_size, &none, &blob, err);

	if (r == 0 && !blob_verified(blob))
		look_again(blob);
	if (r < 0 || !blob_verified(blob))
		return r;
	monitor_enter(&layer->monitor);
	layer->stream_lost = false;
	if (!layer->stream)
		layer->stream = steal(&blob);
	monitor_leave(&layer->monitor);
	return 0;
}

int layer_decode_stream(struct layer *layer, struct err *err)
{
	const struct layer_facts *facts = layer_index_facts(layer->index);
	const struct excerpt_range all = {.in_len = layer->size,
	    .out_len = facts->stream_size};
	struct blob *blob = NULL;
	int r = excerpt_open(layer, &all, &facts->stream, &blob, err);

	if (r < 0)
		return r;
	monitor_enter(&layer->monitor);
	layer->stream_lost = false;
	if (!layer->stream)
		layer->stream = steal(&blob);
	monitor_leave(&layer->monitor);
	blob_put(blob);
	return 0;
}
