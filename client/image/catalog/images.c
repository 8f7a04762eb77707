/* SPDX-License-Identifier: Apache-2.0 */
/* The images of a registry: what they share. */
#include "images_state.h"

#include <errno.h>
#include <stdlib.h>

int images_new(struct source *source, struct store *store,
    const struct images_options *options, struct images **out, struct err *err)
{
	CLEANUP(images_free_p)
	struct images *images = calloc(1, sizeof(*images));
	int r;

	if (!images)
		return err_nomem(err);
	images->source = source;
	images->store = store;
	images->options = *options;
	monitor_init(&images->monitor);
	images->sending = sending_new(err);
	images->referrers = referrers_state_new(err);
	if (!images->sending || !images->referrers)
		return -err->code;
	images->journal = journal_new(store, JOURNAL_FILE_MAX, err);
	if (!images->journal)
		return -err->code;
	images->pushes = pushes_new(images->journal, err);
	if (!images->pushes)
		return -err->code;
	images->away.pool = pool_new("away", 1, err);
	if (!images->away.pool)
		return -err->code;
	images->ahead = pool_new("ahead", 1, err);
	if (!images->ahead)
		return -err->code;
	images->completer = completer_new(err);
	if (!images->completer)
		return -err->code;
	r = layer_table_new(store, &images->layers, err);
	if (r == 0)
		*out = steal(&images);
	return r;
}

void images_free(struct images *images)
{
	completer_free(images->completer);
	pool_free(images->away.pool);
	/* Its jobs hold images. */
	pool_free(images->ahead);
	layer_table_free(images->layers);
	sending_free(images->sending);
	pushes_free(images->pushes);
	journal_free(images->journal);
	referrers_state_free(images->referrers);
	names_put(images->catalog.names);
	map_release(&images->found);
	map_release(&images->gone);
	listings_release(&images->tags);
	resolutions_release(&images->resolved);
	tag_times_release(&images->times);
	monitor_release(&images->monitor);
	free(images);
}

struct source *images_source(struct images *images)
{
	return images->source;
}

struct store *images_store(struct images *images)
{
	return images->store;
}

struct layer_table *images_layers(struct images *images)
{
	return images->layers;
}

struct sending *images_sending(struct images *images)
{
	return images->sending;
}

struct journal *images_journal(struct images *images)
{
	return images->journal;
}

struct pushes *images_pushes(struct images *images)
{
	return images->pushes;
}

struct referrers_state *images_referrers(struct images *images)
{
	return images->referrers;
}

struct pool *images_ahead(struct images *images)
{
	return images->ahead;
}

struct completer *images_completer(struct images *images)
{
	return images->completer;
}

const struct images_options *images_options(const struct images *images)
{
	return &images->options;
}
