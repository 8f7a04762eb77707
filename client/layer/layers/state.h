/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer and the table of layers consist of. */
#ifndef LAYER_STATE_H
#define LAYER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/pool.h"
#include "base/task.h"
#include "jobs.h"
#include "layer/layer.h"
#include "origins.h"
#include "spans.h"
#include "store/parts.h"
#include "toc/toc.h"

/* Nothing was read yet. */
#define NO_SPAN UINT32_MAX

struct layer_table {
	struct store *store;
	struct pool *makers;     /* of indexes; each waits for its blob */
	struct pool *ahead;      /* decode what will be read next */
	struct pool *prefetches; /* wait for whole blobs */
	struct buffers *buffers;
	struct span_cache *spans;
	struct layer_jobs jobs; /* of makers and prefetches */
	atomic_bool closing;
	atomic_uint ahead_jobs; /* queued or running */

	/* Taken before nothing else. */
	pthread_mutex_t lock;
	struct map layers; /* under lock: name to struct layer */
};

struct layer {
	struct layer_table *table;
	unsigned refs; /* under the table's lock */
	char *name;
	char title[DIGEST_TEXT_SIZE + 8]; /* for messages */
	struct digest digest;
	uint64_t size;
	struct toc toc;
	struct origins *origins;
	struct parts *parts;

	/* How many wait for the index, or will. */
	atomic_uint wanted;
	/* Set once; constant from then on. */
	struct layer_index *_Atomic index;

	struct monitor monitor;
	/* In the monitor. */
	bool making;
	unsigned failures;   /* counts the times that making failed */
	struct err failure;  /* of the last of them */
	struct blob *stream; /* LAYER_BY_STREAM, once it was needed */
	bool stream_lost;    /* the cache had damaged it: made again */
	struct blob *large;  /* the large chunk that was read last */
	uint32_t large_span; /* its span */

	/* Where readers are: what is read in order is read ahead. */
	atomic_uint_least32_t last_span, ahead_until;
	atomic_uint_least64_t run_start; /* an address */
	/* The same of the blob as it is stored, in bytes of it. */
	atomic_uint_least64_t stored_next, stored_start;
};

/* Makes the index, or the stream that belongs to it. A job; takes its hold. */
void make_run(void *layer);

/* Waits for the stream; it is made again where it is not kept any more. The
 * blob is the layer's. */
int layer_await_stream(struct layer *layer, struct blob **out, struct err *err);

/*
 * The index was found damaged: waits until it is made again, as for a new one;
 * then err is as if nothing had failed. layer_mended() does so where that is
 * why something failed (*r is -EUCLEAN): whether it is to be tried once more.
 * If not, *r and err say why it failed.
 */
int layer_mend(struct layer *layer, struct err *err);
bool layer_mended(struct layer *layer, int *r, struct err *err);

#endif
