/* SPDX-License-Identifier: Apache-2.0 */
/* The table of layers in use. */
#include <errno.h>
#include <stdio.h>

#include "base/lock.h"
#include "base/strf.h"
#include "index/limits.h"
#include "state.h"

enum {
	/* As many as the store fetches at a time: each follows one. */
	MAKERS = 6,
	/* Decoding needs processors, of which most machines have that many. */
	AHEAD = 4,
	PREFETCHES = 4,
};

int layer_table_new(struct store *store, struct layer_table **out,
    struct err *err)
{
	CLEANUP(layer_table_free_p)
	struct layer_table *table = calloc(1, sizeof(*table));

	if (!table)
		return err_nomem(err);
	table->store = store;
	pthread_mutex_init(&table->lock, NULL);
	jobs_init(&table->jobs);
	table->makers = pool_new("index", MAKERS, err);
	if (table->makers)
		table->ahead = pool_new("ahead", AHEAD, err);
	if (table->ahead)
		table->prefetches = pool_new("prefetch", PREFETCHES, err);
	table->buffers = buffers_new();
	if (!table->buffers)
		return err_nomem(err);
	if (table->prefetches)
		table->spans = span_cache_new(SPANS_KEPT, table->buffers, err);
	if (!table->spans)
		return -err->code;
	*out = steal(&table);
	return 0;
}

void layer_table_free(struct layer_table *table)
{
	if (!table)
		return;
	atomic_store(&table->closing, true);
	jobs_interrupt(&table->jobs);
	pool_free_p(&table->makers);
	pool_free_p(&table->ahead);
	pool_free_p(&table->prefetches);
	span_cache_free(table->spans);
	buffers_free(table->buffers);
	map_release(&table->layers);
	jobs_release(&table->jobs);
	pthread_mutex_destroy(&table->lock);
	free(table);
}

static void layer_free(struct layer *layer)
{
	if (layer->index) {
		span_cache_drop(layer->table->spans, layer);
		layer_index_close(layer->index);
	}
	parts_put(layer->parts);
	blob_put(layer->stream);
	blob_put(layer->large);
	origins_put(layer->origins);
	monitor_release(&layer->monitor);
	free(layer->name);
	free(layer);
}

DEFINE_CLEANUP(struct layer *, layer_free);

/* The same layer with another table of contents is read by another index. */
static char *make_name(const struct descriptor *descriptor,
    const struct toc *toc)
{
	char digest[DIGEST_TEXT_SIZE], vouching[DIGEST_TEXT_SIZE] = "none";

	if (toc->kind != TOC_NONE)
		digest_hex(&toc->digest, vouching);
	/* As much as a file's name has room for, should it be a longer one. */
	return strf("layer-%s-%llx-%.64s",
	    digest_hex(&descriptor->digest, digest),
	    (unsigned long long)descriptor->size, vouching);
}

static int layer_new(struct layer_table *table,
    const struct descriptor *descriptor, const struct toc *toc,
    struct origins *origins, struct layer **out, struct err *err)
{
	CLEANUP(layer_free_p) struct layer *layer = calloc(1, sizeof(*layer));
	char text[DIGEST_TEXT_SIZE];
	struct store_source source;
	int r;

	if (!layer)
		return err_nomem(err);
	layer->table = table;
	layer->refs = 1;
	layer->last_span = NO_SPAN;
	layer->digest = descriptor->digest;
	layer->size = descriptor->size;
	layer->toc = *toc;
	layer->origins = origins_get(origins);
	monitor_init(&layer->monitor);
	snprintf(layer->title, sizeof(layer->title), "layer %s",
	    digest_format(&layer->digest, text));
	layer->name = make_name(descriptor, toc);
	if (!layer->name)
		return err_nomem(err);
	source = origins_source(origins);
	r = store_parts(table->store, &layer->digest, layer->size, &source,
	    &layer->parts, err);
	if (r == 0)
		*out = steal(&layer);
	return r;
}

static struct layer *table_get(struct layer_table *table, const char *name)
{
	SCOPED_LOCK(&table->lock);
	struct layer *layer = map_get(&table->layers, name);

	if (layer)
		layer->refs++;
	return layer;
}

/* Adds *fresh, or sets *out to what another thread has added meanwhile. */
static int table_add(struct layer_table *table, struct layer **fresh,
    struct layer **out, struct err *err)
{
	SCOPED_LOCK(&table->lock);
	struct layer *layer = map_get(&table->layers, (*fresh)->name);

	if (layer) {
		layer->refs++;
		*out = layer;
		return 0;
	}
	if (map_put(&table->layers, (*fresh)->name, *fresh) < 0)
		return err_nomem(err);
	*out = steal(fresh);
	return 0;
}

int layer_open(struct layer_table *table, const struct descriptor *descriptor,
    const struct store_source *source, struct layer **out, struct err *err)
{
	CLEANUP(origins_put_p) struct origins *origins = NULL;
	CLEANUP(layer_free_p) struct layer *fresh = NULL;
	AUTO_FREE char *name = NULL;
	struct toc toc;
	int r;

	toc_find(descriptor, &toc);
	name = make_name(descriptor, &toc);
	*out = name ? table_get(table, name) : NULL;
	if (*out) {
		origins_add((*out)->origins, source);
		return 0;
	}
	r = origins_new(source, &origins, err);
	if (r == 0)
		r = layer_new(table, descriptor, &toc, origins, &fresh, err);
	return r < 0 ? r : table_add(table, &fresh, out, err);
}

struct layer *layer_get(struct layer *layer)
{
	SCOPED_LOCK(&layer->table->lock);
	layer->refs++;
	return layer;
}

/* Whether that was the last one; then nobody can find it any more. */
static bool drop_ref(struct layer *layer)
{
	SCOPED_LOCK(&layer->table->lock);
	if (--layer->refs > 0)
		return false;
	map_del(&layer->table->layers, layer->name);
	return true;
}

void layer_put(struct layer *layer)
{
	if (layer && drop_ref(layer))
		layer_free(layer);
}
