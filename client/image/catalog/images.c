/* SPDX-License-Identifier: Apache-2.0 */
/* The images of a source: what they are made of. */
#include "images_state.h"

#include <errno.h>
#include <stdlib.h>

int images_new(struct source *source, struct images_shared *shared,
    const struct images_options *options, struct images **out, struct err *err)
{
	CLEANUP(images_free_p)
	struct images *images = calloc(1, sizeof(*images));

	if (!images)
		return err_nomem(err);
	images->source = source;
	images->shared = shared;
	images->options = *options;
	monitor_init(&images->monitor);
	images->turns = turns_new(err);
	images->referrers = referrers_state_new(err);
	if (!images->turns || !images->referrers)
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
	*out = steal(&images);
	return 0;
}

void images_free(struct images *images)
{
	completer_free(images->completer);
	pool_free(images->away.pool);
	/* Its jobs hold images. */
	pool_free(images->ahead);
	turns_free(images->turns);
	referrers_state_free(images->referrers);
	names_put(images->catalog.names);
	map_release(&images->found);
	map_release(&images->gone);
	map_release(&images->remembered.names);
	map_release(&images->remembered.forgotten);
	listings_release(&images->below);
	listings_release(&images->tags);
	resolutions_release(&images->resolved);
	map_release(&images->recalled);
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
	return images->shared->store;
}

struct layer_table *images_layers(struct images *images)
{
	return images->shared->layers;
}

struct turns *images_turns(struct images *images)
{
	return images->turns;
}

struct journal *images_journal(struct images *images)
{
	return images->shared->journal;
}

struct pushes *images_pushes(struct images *images)
{
	return images->shared->pushes;
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
