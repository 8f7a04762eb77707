/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers of one push on their way to the registry: each is a job that
 * follows the archive while it grows, so that hashing, compressing and sending
 * overlap with the writing.
 *
 * The set is used by the push's thread alone; what the jobs share with it is in
 * the monitor.
 */
#ifndef IMAGE_PUSH_LAYER_H
#define IMAGE_PUSH_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/reader.h"
#include "base/pool.h"
#include "base/task.h"
#include "blob.h"
#include "known.h"
#include "layer/plain.h"
#include "layer/writer.h"

struct push_layer {
	struct push_layers *set;
	struct push_layer *before; /* the one that was started before it */

	/* What it is made of; constant, but `packing` is its job's. */
	char *name;
	int fd;
	uint64_t offset, size;
	struct layer_plain *tree; /* NULL, or what is brought in its place */
	struct digest hint;       /* what its name says, perhaps the diff_id */
	/* Of a plain tar that is compressed in a way that no image has: how. */
	enum compression packing;
	struct digest expected; /* set: the bytes are the blob, and this its
				   digest */

	pthread_mutex_t lock;
	/* Under lock. */
	bool running; /* `task` is its thread's */
	bool cancelled;
	struct task task;

	bool passed; /* in the set's monitor: has compressed, or never will */
	bool wanted; /* of the push's thread: belongs to the image */

	/* Its job's until push_layers_wait() has returned. */
	struct digest diff_id;     /* unset unless the layer is a plain tar */
	struct layer_written blob; /* what the repository has now */
	bool sent;                 /* else it was there */
};

struct push_layers {
	const struct tag_ref *target;
	struct push_known known;
	struct push_layer *last;
	struct pool *jobs;        /* NULL until the first layer */
	struct pool *compressors; /* likewise */
	unsigned compressor_count;

	struct monitor monitor;
	/* In the monitor. */
	uint64_t there;     /* bytes of the plain tar that can be read */
	unsigned busy;      /* jobs that have not ended */
	struct err trouble; /* the first failure; its code is 0 if none */
};

/* target is borrowed, and has its images. */
void push_layers_init(struct push_layers *set, const struct tag_ref *target);
void push_layers_release(struct push_layers *set);

/*
 * Starts to bring the layer that lies at the entry's place in fd (borrowed).
 * `blob`, unless NULL: its bytes are to be that blob, as they are; else plain
 * tars are compressed. NULL on failure, err filled.
 */
struct push_layer *push_layers_start(struct push_layers *set, int fd,
    const struct archive_entry *entry, const struct digest *blob,
    struct err *err);

/* The one that was started for that place, without a `blob`; or NULL. */
struct push_layer *push_layers_find(const struct push_layers *set,
    const struct archive_entry *entry);

/* That one, or else a new one; it is known to belong to the image. */
struct push_layer *push_layers_want(struct push_layers *set, int fd,
    const struct archive_entry *entry, const struct digest *blob,
    struct err *err);

/* A new one of a tar that engines do not unpack as it stands: what is brought
 * is its tree (borrowed), when all of it is there. */
struct push_layer *push_layers_want_tree(struct push_layers *set, int fd,
    const struct archive_entry *entry, struct layer_plain *tree,
    struct err *err);

/* That many bytes can be read now. */
void push_layers_grow(struct push_layers *set, uint64_t there);

/* Notes a failure from outside the jobs, unless there was one before. */
void push_layers_fail(struct push_layers *set, const struct err *err);

/* Gives up those that are not wanted: they belong to another image. */
void push_layers_drop(struct push_layers *set);

/* Waits for all. The first failure, or -EINTR. */
int push_layers_wait(struct push_layers *set, struct err *err);

struct push_totals {
	size_t layers;
	size_t sent; /* of them */
	uint64_t sent_bytes;
};

/* Of those that are wanted, after push_layers_wait(). */
struct push_totals push_layers_totals(const struct push_layers *set);

/* Gives up all, waits until their threads have let go, and forgets them. */
void push_layers_cancel(struct push_layers *set);

/* The job, in a thread of the set: brings the layer to the registry. */
int push_layer_bring(struct push_layer *layer, struct err *err);

/* Waits until `end` bytes of the plain tar can be read; -EINTR. */
int push_layers_await(struct push_layers *set, uint64_t end, struct err *err);

/*
 * Waits for the layer's turn to compress: -EINTR. One at a time has all
 * compressors, in the order in which they lie in the archive: a layer that is
 * there is not held up by one that still comes, and it is sent while the next
 * one is compressed. push_layers_pass() ends the turn, or gives it up.
 */
int push_layers_turn(struct push_layer *layer, struct err *err);
void push_layers_pass(struct push_layer *layer);

#endif
