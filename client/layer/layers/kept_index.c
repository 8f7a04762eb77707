/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's index, as the store keeps it and as the layer has it. */
#include "kept_index.h"

#include <errno.h>

#include "base/log.h"
#include "index/state.h"

bool layer_is_right(struct layer *layer)
{
	return layer->index != NULL && !layer_index_is_damaged(layer->index);
}

/* Replaces a damaged index. What was said of the layer before was said of the
 * entries that it had, so another index would be another layer. Takes it. */
static int replace(struct layer *layer, struct layer_index *index,
    struct err *err)
{
	return layer_index_replace(layer->index, index)
		   ? 0
		   : err_set(err, EIO,
			 "its index in the cache was damaged, and made again "
			 "it is another one: unmount and mount again");
}

int layer_take_index(struct layer *layer, struct layer_index *index,
    struct err *err)
{
	int r = 0;

	monitor_enter(&layer->monitor);
	if (!layer->index)
		layer->index = steal(&index);
	else if (!layer_is_right(layer))
		r = replace(layer, steal(&index), err);
	monitor_notify(&layer->monitor);
	monitor_leave(&layer->monitor);
	layer_index_close(index);
	return r;
}

/* Opens what is kept. The file that is mapped already is no other one, whatever
 * its checksum says now. */
static int open_kept(struct layer *layer, struct layer_index **out,
    struct err *err)
{
	CLEANUP(layer_index_close_p) struct layer_index *index = NULL;
	AUTO_FD int fd =
	    store_derived_open(layer->table->store, layer->name, err);
	int r;

	if (fd < 0)
		return fd;
	if (layer->index && layer_index_is_of(layer->index, fd))
		return err_set(err, ESTALE, "what was read of it was wrong");
	r = layer_index_open(steal_fd(&fd), &index, err);
	if (r < 0)
		return r;
	if (!digest_equal(&layer_index_facts(index)->blob, &layer->digest) ||
	    layer_index_facts(index)->blob_size != layer->size)
		return err_set(err, EBADMSG, "it is of another layer");
	*out = steal(&index);
	return 0;
}

int kept_index_find(struct layer *layer, struct err *err)
{
	struct layer_index *index = NULL;
	struct err reason = ERR_INIT;
	int r = open_kept(layer, &index, &reason);

	if (r == 0) {
		r = layer_take_index(layer, index, err);
		return r < 0 ? r : 1;
	}
	if (r == -ENOENT)
		return 0;
	if (r == -EBADMSG)
		log_warn("%s: its index in the cache is made again: %s",
		    layer->title, reason.msg);
	if (r == -EBADMSG || r == -ESTALE) {
		store_derived_drop(layer->table->store, layer->name);
		return 0;
	}
	*err = reason;
	return r;
}
