/* SPDX-License-Identifier: Apache-2.0 */
/* The set of a push's layers: their threads, their end, their failures. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/lock.h"
#include "base/parse.h"
#include "catalog/progress.h"
#include "layer.h"

enum {
	/* Some are sent while another one is compressed. */
	JOBS = 3,
	/* Each holds 1.5 MiB, and what reads for them has no more to give. */
	COMPRESSORS_MAX = 6,
};

void push_layers_init(struct push_layers *set, const struct tag_ref *target)
{
	set->target = target;
	push_known_init(&set->known, target);
	monitor_init(&set->monitor);
}

void push_layers_release(struct push_layers *set)
{
	push_layers_cancel(set);
	pool_free(set->compressors);
	monitor_release(&set->monitor);
	push_known_release(&set->known);
}

/* What "HEX.tar" and "blobs/sha256/HEX" say; "HEX/layer.tar" says nothing. */
static void read_hint(const char *name, struct digest *out)
{
	const char *slash = strrchr(name, '/');
	const char *cursor = slash ? slash + 1 : name;
	struct digest hint = {.algorithm = DIGEST_SHA256};

	if (parse_hex(&cursor, hint.bytes, 32) &&
	    (*cursor == '\0' || strcmp(cursor, ".tar") == 0))
		*out = hint;
}

static void layer_free(struct push_layer *layer)
{
	pthread_mutex_destroy(&layer->lock);
	free(layer->name);
	free(layer);
}

static struct push_layer *layer_new(struct push_layers *set, int fd,
    const struct archive_entry *entry, const struct digest *blob)
{
	struct push_layer *layer = calloc(1, sizeof(*layer));

	if (!layer)
		return NULL;
	pthread_mutex_init(&layer->lock, NULL);
	layer->set = set;
	layer->fd = fd;
	layer->offset = entry->offset;
	layer->size = entry->size;
	if (blob)
		layer->expected = *blob;
	read_hint(entry->name, &layer->hint);
	layer->name = strdup(entry->name);
	if (!layer->name) {
		layer_free(layer);
		return NULL;
	}
	return layer;
}

/* False if it was given up before its turn came. */
static bool layer_begin(struct push_layer *layer)
{
	SCOPED_LOCK(&layer->lock);

	if (layer->cancelled)
		return false;
	task_begin(&layer->task);
	layer->running = true;
	return true;
}

/* Whether it was given up. */
static bool layer_end(struct push_layer *layer)
{
	SCOPED_LOCK(&layer->lock);

	task_end(&layer->task);
	layer->running = false;
	return layer->cancelled;
}

static void layer_cancel(struct push_layer *layer)
{
	SCOPED_LOCK(&layer->lock);

	layer->cancelled = true;
	if (layer->running)
		task_interrupt(&layer->task);
}

static void layer_run(void *arg)
{
	struct push_layer *layer = arg;
	struct push_layers *set = layer->set;
	struct err err = ERR_INIT;

	if (layer_begin(layer)) {
		int r = push_layer_bring(layer, &err);
		bool cancelled = layer_end(layer);

		if (r < 0 && !cancelled)
			push_layers_fail(set, &err);
	}
	atomic_fetch_add(&set->target->progress->layers_done, 1);
	monitor_enter(&set->monitor);
	layer->passed = true;
	set->busy--;
	monitor_notify(&set->monitor);
	monitor_leave(&set->monitor);
}

static unsigned compressor_count(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors < 1)
		return 1;
	return processors < COMPRESSORS_MAX ? (unsigned)processors
					    : COMPRESSORS_MAX;
}

static int make_pools(struct push_layers *set, struct err *err)
{
	if (!set->compressors) {
		set->compressor_count = compressor_count();
		set->compressors =
		    pool_new("compress", set->compressor_count, err);
	}
	if (!set->jobs)
		set->jobs = pool_new("layer", JOBS, err);
	return set->compressors && set->jobs ? 0 : -err->code;
}

static struct push_layer *start(struct push_layers *set, int fd,
    const struct archive_entry *entry, const struct digest *blob,
    struct layer_plain *tree, struct err *err)
{
	struct push_layer *layer;

	if (make_pools(set, err) < 0)
		return NULL;
	layer = layer_new(set, fd, entry, blob);
	if (!layer) {
		err_nomem(err);
		return NULL;
	}
	layer->tree = tree;
	layer->before = set->last;
	atomic_fetch_add(&set->target->progress->layers, 1);
	monitor_enter(&set->monitor);
	set->busy++;
	monitor_leave(&set->monitor);
	if (pool_submit(set->jobs, layer_run, layer, err) < 0) {
		monitor_enter(&set->monitor);
		set->busy--;
		monitor_leave(&set->monitor);
		layer_free(layer);
		return NULL;
	}
	set->last = layer;
	return layer;
}

struct push_layer *push_layers_start(struct push_layers *set, int fd,
    const struct archive_entry *entry, const struct digest *blob,
    struct err *err)
{
	return start(set, fd, entry, blob, NULL, err);
}

struct push_layer *push_layers_find(const struct push_layers *set,
    const struct archive_entry *entry)
{
	struct push_layer *layer = set->last;

	while (layer &&
	       (layer->offset != entry->offset || layer->size != entry->size ||
		   digest_is_set(&layer->expected)))
		layer = layer->before;
	return layer;
}

struct push_layer *push_layers_want(struct push_layers *set, int fd,
    const struct archive_entry *entry, const struct digest *blob,
    struct err *err)
{
	struct push_layer *layer = push_layers_find(set, entry);

	if (!layer)
		layer = push_layers_start(set, fd, entry, blob, err);
	if (layer)
		layer->wanted = true;
	return layer;
}

struct push_layer *push_layers_want_tree(struct push_layers *set, int fd,
    const struct archive_entry *entry, struct layer_plain *tree,
    struct err *err)
{
	struct push_layer *layer = start(set, fd, entry, NULL, tree, err);

	if (layer)
		layer->wanted = true;
	return layer;
}

void push_layers_fail(struct push_layers *set, const struct err *err)
{
	monitor_enter(&set->monitor);
	if (!set->trouble.code)
		set->trouble = *err;
	monitor_notify(&set->monitor);
	monitor_leave(&set->monitor);
}

/* Inside the monitor. */
static int trouble(const struct push_layers *set, struct err *err)
{
	if (!set->trouble.code)
		return 0;
	*err = set->trouble;
	return -err->code;
}

void push_layers_drop(struct push_layers *set)
{
	for (struct push_layer *p = set->last; p; p = p->before)
		if (!p->wanted)
			layer_cancel(p);
}

int push_layers_wait(struct push_layers *set, struct err *err)
{
	int r = 0;

	monitor_enter(&set->monitor);
	while (set->busy > 0 && !set->trouble.code && r == 0)
		r = monitor_wait(&set->monitor);
	r = r < 0 ? err_set(err, EINTR, "interrupted") : trouble(set, err);
	monitor_leave(&set->monitor);
	return r;
}

struct push_totals push_layers_totals(const struct push_layers *set)
{
	struct push_totals totals = {0};

	for (const struct push_layer *p = set->last; p; p = p->before) {
		totals.layers += p->wanted;
		totals.sent += p->wanted && p->sent;
		if (p->wanted && p->sent)
			totals.sent_bytes += p->blob.size;
	}
	return totals;
}

void push_layers_cancel(struct push_layers *set)
{
	for (struct push_layer *p = set->last; p; p = p->before)
		layer_cancel(p);
	/* Waits; those that never had a thread end at once. */
	pool_free(steal(&set->jobs));
	assert(set->busy == 0);
	while (set->last) {
		struct push_layer *layer = set->last;

		set->last = layer->before;
		layer_free(layer);
	}
	atomic_store(&set->target->progress->layers_done, 0);
	atomic_store(&set->target->progress->layers, 0);
	set->there = 0;
	set->trouble = (struct err)ERR_INIT;
}
