/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A push from the writer's side: the archive is followed as it comes, and what
 * its reader makes of it decides what the push is.
 *
 *	RECEIVING --- the archive is complete, and was pushed ---> DONE
 *	    |                                                       |
 *	    +----------- anything that fails ------> FAILED <-------+
 *
 * Bytes that change after they were read start it again from their start. Once
 * it is DONE, only zeros may follow: the padding of a tar.
 */
#include "image/push.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "archive/reader.h"
#include "base/budget.h"
#include "base/log.h"
#include "bundle.h"
#include "catalog/progress.h"
#include "contents.h"
#include "layer.h"

enum {
	/* What is read back at a time, and how much comes between two
	 * wake-ups of the layers. */
	PIECE = 256 << 10,
	/* Who changes what it wrote more often is read when it closes. */
	STARTS_MAX = 5,
};

/* All of it is the calling thread's; the layers have their own rules. */
struct push {
	/* Of a bundle that becomes no tag NULL, as target.images, and layers
	 * are not used then. */
	char *repository;
	char *tag;
	struct tag_ref target;
	struct push_bundle bundle; /* path NULL: it is not one; it is owned */
	struct push_progress progress;
	struct spool *spool;
	struct push_layers layers;
	char *temp_dir; /* for the reader */

	enum { PUSH_RECEIVING, PUSH_DONE, PUSH_FAILED } state;
	struct digest digest; /* in DONE: what the tag names */

	struct archive_reader *reader; /* NULL: to be started */
	struct layer_plain *tree;      /* of what it has read; as it */
	unsigned generation;           /* of the spool, when it was started */
	unsigned starts;
	struct timespec started;
	uint64_t taken; /* bytes that it has had */
	uint64_t told;  /* bytes of the plain tar that the layers know of */
	bool complete;  /* what it said last */
};

static int set_target(struct push *push, const struct tag_ref *target,
    struct err *err)
{
	if (!target->images)
		return 0;
	push->target = *target;
	push->target.progress = &push->progress;
	push_layers_init(&push->layers, &push->target);
	push->repository = strdup(target->repository);
	push->tag = strdup(target->tag);
	if (!push->repository || !push->tag)
		return err_nomem(err);
	push->target.repository = push->repository;
	push->target.tag = push->tag;
	return 0;
}

static struct push *make(const struct tag_ref *target, struct store *store,
    struct spool *spool, struct err *err)
{
	CLEANUP(push_free_p) struct push *push = calloc(1, sizeof(*push));

	if (!push) {
		err_nomem(err);
		return NULL;
	}
	push->spool = spool;
	if (set_target(push, target, err) < 0)
		return NULL;
	push->temp_dir = store_temp_dir(store, err);
	return push->temp_dir ? steal(&push) : NULL;
}

int push_new(const struct tag_ref *target, struct spool *spool,
    struct push **out, struct err *err)
{
	struct push *push =
	    make(target, images_store(target->images), spool, err);

	if (!push)
		return -err->code;
	progress_begin(&push->progress, target->images, push->repository,
	    push->tag);
	*out = push;
	return 0;
}

int push_bundle_new(const struct push_bundle *bundle, struct store *store,
    struct spool *spool, struct push **out, struct err *err)
{
	CLEANUP(push_free_p)
	struct push *push = make(&bundle->tag, store, spool, err);

	if (!push)
		return -err->code;
	push->bundle = *bundle;
	push->bundle.tag = push->target;
	push->bundle.path = strdup(bundle->path);
	if (!push->bundle.path)
		return err_nomem(err);
	*out = steal(&push);
	return 0;
}

/* The layers let go of the reader's file before it is closed. */
static void stop_reading(struct push *push)
{
	if (push->target.images)
		push_layers_cancel(&push->layers);
	archive_reader_free(steal(&push->reader));
	layer_plain_free(steal(&push->tree));
}

void push_free(struct push *push)
{
	push_give_up(push, NULL);
}

void push_give_up(struct push *push, const struct err *why)
{
	struct err given_up = ERR_INIT;

	if (!push)
		return;
	stop_reading(push);
	err_set(&given_up, ECANCELED,
	    "given up before the archive was complete");
	progress_end(&push->progress, NULL, why && why->code ? why : &given_up);
	if (push->target.images)
		push_layers_release(&push->layers);
	free((char *)(uintptr_t)push->bundle.path);
	free(push->repository);
	free(push->tag);
	free(push->temp_dir);
	free(push);
}

bool push_may_go_on(const struct push *push)
{
	return push->state == PUSH_RECEIVING;
}

const struct digest *push_digest(const struct push *push)
{
	return &push->digest;
}

static void found_layer(void *arg, const struct archive_entry *entry)
{
	struct push *push = arg;
	struct err err = ERR_INIT;

	if (!push_layers_start(&push->layers, archive_reader_fd(push->reader),
		entry, NULL, &err))
		push_layers_fail(&push->layers, &err);
}

static void found_entry(void *arg, const struct tar_entry *entry)
{
	struct push *push = arg;

	layer_plain_add(push->tree, entry);
}

static int start_reading(struct push *push, struct err *err)
{
	struct archive_reader_options options = {.temp_dir = push->temp_dir,
	    .layer = found_layer,
	    .entry = found_entry,
	    .arg = push};
	int r;

	stop_reading(push);
	push->taken = 0;
	push->told = 0;
	push->complete = false;
	push->starts++;
	push->generation = spool_generation(push->spool);
	clock_gettime(CLOCK_MONOTONIC, &push->started);
	options.fd = spool_fd(push->spool);
	/* Where those of a bundle go is not known before it is whole. */
	if (push->bundle.path)
		options.layer = NULL;
	r = layer_plain_new(push->temp_dir, &push->tree, err);
	return r < 0 ? r : archive_reader_new(&options, &push->reader, err);
}

static int take_padding(const char *data, size_t len, struct err *err)
{
	while (len > 0 && *data == '\0') {
		data++;
		len--;
	}
	if (len == 0)
		return 0;
	return err_set(err, EIO,
	    "the archive is complete and pushed; data after its end is "
	    "refused");
}

/* The next bytes, in order. */
static int take(struct push *push, const char *data, size_t len,
    struct err *err)
{
	uint64_t there;
	int r;

	push->taken += len;
	atomic_store(&push->progress.received, push->taken);
	if (push->state == PUSH_DONE)
		return take_padding(data, len, err);
	r = archive_reader_feed(push->reader, data, len, err);
	if (r < 0)
		return r;
	push->complete = r == 1;
	there = archive_reader_size(push->reader);
	if (push->target.images && there - push->told >= PIECE) {
		push->told = there;
		push_layers_grow(&push->layers, there);
	}
	return 0;
}

/* Takes what is in the file, up to `end`. */
static int take_back(struct push *push, uint64_t end, struct err *err)
{
	AUTO_FREE char *piece = NULL;

	if (push->taken < end && !(piece = malloc(PIECE)))
		return err_nomem(err);
	while (push->taken < end) {
		uint64_t left = end - push->taken;
		ssize_t n = spool_read(push->spool, piece,
		    left < PIECE ? (size_t)left : PIECE, push->taken, err);
		int r = n < 0 ? (int)n : take(push, piece, (size_t)n, err);

		if (r < 0)
			return r;
		if (n == 0)
			return err_set(err, EIO, "unexpected end of file");
		if (task_interrupted())
			return err_set(err, EINTR, "interrupted");
	}
	return 0;
}

/* Takes the bytes just written if they come next, then what else is there. */
static int take_all(struct push *push, const char *data, size_t len,
    uint64_t off, struct err *err)
{
	int r = 0;

	if (data && off <= push->taken && push->taken - off < len) {
		uint64_t skip = push->taken - off;

		r = take(push, data + skip, len - (size_t)skip, err);
	}
	return r < 0 ? r : take_back(push, spool_prefix(push->spool), err);
}

static void log_outcome(const struct push *push)
{
	struct push_totals totals = push_layers_totals(&push->layers);
	char text[DIGEST_TEXT_SIZE];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	log_info("pushed %s:%s as %s: %zu layer%s, %zu sent (%.1f MB), "
		 "%zu there already, %.1f s",
	    push->repository, push->tag, digest_format(&push->digest, text),
	    totals.layers, totals.layers == 1 ? "" : "s", totals.sent,
	    (double)totals.sent_bytes / 1e6, totals.layers - totals.sent,
	    (double)(now.tv_sec - push->started.tv_sec) +
		(double)(now.tv_nsec - push->started.tv_nsec) / 1e9);
}

/* The archive is complete, and is one image's. */
static int finish_tag(struct push *push, struct err *err)
{
	int r;

	atomic_store(&push->progress.complete, true);
	push_layers_grow(&push->layers, archive_reader_size(push->reader));
	r = push_contents(&push->layers, push->reader, push->tree, NULL,
	    &push->digest, err);
	if (r < 0)
		return r;
	push->state = PUSH_DONE;
	log_outcome(push);
	progress_end(&push->progress, &push->digest, NULL);
	stop_reading(push);
	return 1;
}

/* The archive is complete. */
static int finish(struct push *push, struct err *err)
{
	int r;

	if (!push->bundle.path)
		return finish_tag(push, err);
	r = push_bundle_images(&push->bundle, push->reader, err);
	if (r < 0)
		return r;
	if (r == 1) {
		push->state = PUSH_DONE;
		stop_reading(push);
		return 1;
	}
	progress_begin(&push->progress, push->target.images, push->repository,
	    push->tag);
	atomic_store(&push->progress.received, push->taken);
	return finish_tag(push, err);
}

/* Follows the padding after an archive that has been pushed. */
static int advance_done(struct push *push, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	int r;

	if (push->generation != spool_generation(push->spool))
		return err_set(err, EIO,
		    "the archive was changed after it had been pushed");
	r = take_all(push, data, len, off, err);
	return r < 0 ? r : 1;
}

/*
 * Whether to read from the start, now that what was read has changed. A write
 * that ends before the front is followed by others, and reading again for each
 * of them would have no end; neither would it where each comes with a new one.
 */
static bool time_to_start(const struct push *push, uint64_t write_end,
    bool closing)
{
	return closing || (write_end >= spool_prefix(push->spool) &&
			      push->starts < STARTS_MAX);
}

static int advance(struct push *push, const void *data, size_t len,
    uint64_t off, bool closing, struct err *err)
{
	int r = 0;

	/* What was copied for minutes is not to fail by a restart. */
	budget_be_patient();
	if (push->state == PUSH_DONE)
		return advance_done(push, data, len, off, err);
	if (push->generation != spool_generation(push->spool))
		stop_reading(push);
	if (!push->reader &&
	    !time_to_start(push, data ? off + len : UINT64_MAX, closing))
		return 0;
	if (!push->reader)
		r = start_reading(push, err);
	if (r == 0)
		r = take_all(push, data, len, off, err);
	/* A layer that was refused is left for the end: what is still to come
	 * may come from a pipe, and has to be kept for another try. */
	if (r < 0)
		return r;
	return push->complete ? finish(push, err) : 0;
}

static int wrap(const struct push *push, struct err *err)
{
	return push->repository
		   ? err_wrap(err, "pushing %s:%s", push->repository, push->tag)
		   : err_wrap(err, "pushing to %s", push->bundle.path);
}

/* A failure is for good. */
static int settle(struct push *push, int r, struct err *err)
{
	if (r >= 0)
		return r;
	wrap(push, err);
	push->state = PUSH_FAILED;
	stop_reading(push);
	progress_end(&push->progress, NULL, err);
	return r;
}

int push_advance(struct push *push, const void *data, size_t len, uint64_t off,
    struct err *err)
{
	assert(push->state != PUSH_FAILED);
	return settle(push, advance(push, data, len, off, false, err), err);
}

/*
 * Takes what the writer left out as well: they are holes of its source, and the
 * archive's end mark can be one of them. 1: it is complete.
 */
static int take_rest(struct push *push, bool is_last, struct err *err)
{
	uint64_t size = spool_size(push->spool);
	bool gaps = spool_prefix(push->spool) < size;
	int r = take_back(push, size, err);

	if (r == 0)
		r = push->complete
			? 1
			: archive_reader_end(push->reader, is_last, err);
	if (r > 0 && gaps && spool_fill(push->spool, err) < 0)
		r = -err->code;
	/* A gap that is filled later starts the push again from the start. */
	if (r < 0 && gaps)
		stop_reading(push);
	return r;
}

int push_end(struct push *push, bool is_last, struct err *err)
{
	int r;

	assert(push->state != PUSH_FAILED);
	r = advance(push, NULL, 0, 0, true, err);
	if (r != 0)
		return settle(push, r, err);
	r = take_rest(push, is_last, err);
	if (r < 0)
		return wrap(push, err);
	return r == 0 ? 0 : settle(push, finish(push, err), err);
}
